import type { Round } from './row.ts';

/** Does the work once and says how much of it was done: records, calls. */
export type Work = () => Promise<number> | number;

export interface Turns {
  readonly rounds: number;
  /** How long each of them runs in a round, at least. */
  readonly seconds: number;
}

/**
 * Run ours and the reference in turns, and take the rate of each, per second, round by round.
 *
 * In turns, since a shared machine is fast one minute and slow the next: only their ratio within a round is
 * worth anything. One round before the first is thrown away, for caches and compilers.
 */
export async function takeTurns(
  { ours, reference }: { readonly ours: Work; readonly reference?: Work },
  turns: Turns,
): Promise<Round[]> {
  return takeManyTurns({ ours, ...(reference && { reference }) }, turns);
}

/** The same for any works, by their names. */
export async function takeManyTurns<Works extends { readonly [name: string]: Work }>(
  works: Works,
  { rounds, seconds }: Turns,
): Promise<{ [Name in keyof Works]: number }[]> {
  for (const work of Object.values(works)) await rate(work, Math.min(seconds, 1));
  const taken: { [Name in keyof Works]: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const rates: [name: string, rate: number][] = [];
    for (const [name, work] of Object.entries(works)) rates.push([name, await rate(work, seconds)]);
    taken.push(Object.fromEntries(rates) as { [Name in keyof Works]: number });
  }
  return taken;
}

async function rate(work: Work, seconds: number): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  let done = 0;
  while (performance.now() < endMs) done += await work();
  return (done * 1_000) / (performance.now() - startMs);
}
