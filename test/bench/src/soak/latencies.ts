import { quantile } from '../row.ts';

/** When calls began, in milliseconds of the run, and how long each took. */
export interface Latencies {
  readonly atMs: number[];
  readonly ms: number[];
}

export function noLatencies(): Latencies {
  return { atMs: [], ms: [] };
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly calls: number;
}

/** Of those calls that began in a third of the run: 0, 1 or 2. */
export function percentilesOf(
  { atMs, ms }: Latencies,
  { third, lengthMs }: { readonly third: number; readonly lengthMs: number },
): Percentiles {
  const inThird = ms.filter((_, call) => thirdOf(atMs[call] ?? 0, lengthMs) === third);
  return {
    p50: quantile(inThird, 0.5),
    p95: quantile(inThird, 0.95),
    p99: quantile(inThird, 0.99),
    max: quantile(inThird, 1),
    calls: inThird.length,
  };
}

export function thirdOf(atMs: number, lengthMs: number): number {
  return Math.min(2, Math.floor((atMs * 3) / lengthMs));
}
