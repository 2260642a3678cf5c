import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../row.ts';
import { thirdOf } from './latencies.ts';

/** How much a process holds at a moment, in bytes; undefined while it cannot be told. */
export type Gauge = () => Promise<number | undefined>;

/** Of each third of the run, the median of what was seen, in bytes; NaN where nothing was. */
export type MemoryByThird = readonly [number, number, number];

/** Look every second until the signal. */
export async function watchMemory<Name extends string>(
  gauges: Readonly<Record<Name, Gauge>>,
  { lengthMs, signal }: { readonly lengthMs: number; readonly signal: AbortSignal },
): Promise<Record<Name, MemoryByThird>> {
  const names = Object.keys(gauges) as Name[];
  const seen = new Map(names.map((name) => [name, [[], [], []] as [number[], number[], number[]]]));
  const startMs = Date.now();
  while (!signal.aborted) {
    for (const name of names) {
      const bytes = await gauges[name]();
      if (bytes !== undefined)
        seen.get(name)?.[thirdOf(Date.now() - startMs, lengthMs) as 0 | 1 | 2].push(bytes);
    }
    await delay(1_000, undefined, { signal }).catch(() => undefined);
  }
  const entries = [...seen].map(([name, thirds]) => [name, thirds.map(median)]);
  return Object.fromEntries(entries) as Record<Name, MemoryByThird>;
}
