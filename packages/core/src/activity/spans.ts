import { endOfTime } from './activity-id.ts';

/** A stretch of time; without a bound it goes on for ever. `from` is inclusive, `to` is not. */
export interface Span {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/** About a month, so that a page that ends within it is planned for two partitions, however many there are. */
const firstMs = 31 * 86_400_000;
const growth = 12;
const spansMax = 3;

export interface SpansOptions extends Span {
  readonly descending: boolean;
  /** Where the walk begins: at a record's time, or at its end where that is known. */
  readonly start: Date | undefined;
}

/**
 * The stretches of time in which to look for records one after the other, each several times as long as the one
 * before it; together they are all there is between `from` and `to`.
 */
export function spansOf({ descending, start, from, to }: SpansOptions): Span[] {
  if (!start) return [{ from, to }];
  const end = descending ? (from ?? firstTime) : (to ?? endOfTime);
  const spans: Span[] = [];
  let near = descending ? to : from;
  let farMs = start.getTime();
  for (let lengthMs = firstMs; spans.length < spansMax - 1; lengthMs *= growth) {
    farMs += descending ? -lengthMs : lengthMs;
    if (descending ? farMs <= end.getTime() : farMs >= end.getTime()) break;
    const far = new Date(farMs);
    spans.push(descending ? { from: far, to: near } : { from: near, to: far });
    near = far;
  }
  spans.push(descending ? { from, to: near } : { from: near, to });
  return spans;
}

/** Times are written with years of four digits. */
const firstTime = new Date('0001-01-01T00:00:00.000Z');
