import type { Dimension, Filter, StatsInput } from '@annals/contract';
import type { Sight } from '../activity/where.ts';

/** What to count: the activities that a filter selects, by the values of dimensions and by interval. */
export interface CountRequest {
  readonly filter: Filter;
  readonly sight: Sight;
  readonly groupBy: readonly Dimension[];
  /** Begins by the session's time zone. */
  readonly interval?: StatsInput['interval'];
  /** Rows, at most. */
  readonly limit: number;
  /** Leave out those that have no value in the first dimension. */
  readonly presentOnly?: boolean;
}

/** With `interval` in the order of time, then as without: the largest counts first, equal ones by their values. */
export interface CountRow {
  /** When the interval begins, in milliseconds since 1970; null without one. */
  readonly from_ms: number | null;
  readonly count: number;
  readonly [group: `g${number}`]: string | null;
}
