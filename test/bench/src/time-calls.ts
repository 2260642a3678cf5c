import { quantile, type Row, type RowSpec, rowOf } from './row.ts';
import type { Turns } from './take-turns.ts';

export type Call = () => Promise<unknown>;

export interface Timed {
  readonly ours: Call;
  readonly reference?: Call | undefined;
}

/** Milliseconds that each call of a round took. */
export interface Latencies {
  readonly ours: readonly number[];
  readonly reference?: readonly number[];
}

const callsMin = 3;
const callsMax = 300;
/** A reference that takes longer is called once for all rounds. */
const slowMs = 1_000;

/**
 * Call ours and the reference in turns, each for a twentieth of the round. One round before the first is thrown away,
 * for caches and compilers.
 */
export async function timeCalls(
  { ours, reference }: Timed,
  { rounds, seconds }: Turns,
): Promise<Latencies[]> {
  const taken: Latencies[] = [];
  const msMin = (seconds * 1_000) / 20;
  let slow: number[] | undefined;
  for (let round = 0; round <= rounds; round += 1) {
    const own = await timesOf(ours, { msMin, callsMin: round === 0 ? 1 : callsMin });
    const others = reference && (slow ?? (await timesOf(reference, { msMin, callsMin: 1 })));
    if (others?.[0] !== undefined && others[0] > slowMs) slow = others;
    if (round > 0) taken.push({ ours: own, ...(others && { reference: others }) });
  }
  return taken;
}

interface CallBounds {
  readonly msMin: number;
  readonly callsMin: number;
}

async function timesOf(call: Call, bounds: CallBounds): Promise<number[]> {
  const times: number[] = [];
  const endMs = performance.now() + bounds.msMin;
  while (times.length < bounds.callsMin || (performance.now() < endMs && times.length < callsMax)) {
    const startMs = performance.now();
    await call();
    times.push(performance.now() - startMs);
  }
  return times;
}

/** The row of the latency below which this part of the calls lies. */
export function latencyRow(spec: Omit<RowSpec, 'unit'>, taken: readonly Latencies[], part: number): Row {
  const rounds = taken.map(({ ours, reference }) => ({
    ours: quantile(ours, part),
    ...(reference && { reference: quantile(reference, part) }),
  }));
  return rowOf({ ...spec, unit: 'ms' }, rounds);
}

/** The slowest of some rows as one of their own, and all of them as details. */
export function worstOf(name: string, rows: readonly Row[]): Row[] {
  const [worst] = rows.toSorted((a, b) => b.ours - a.ours);
  if (!worst) return [];
  return [
    { ...worst, name: `${name}; worst is ${worst.name}` },
    ...rows.map((row) => ({ ...row, detail: true })),
  ];
}
