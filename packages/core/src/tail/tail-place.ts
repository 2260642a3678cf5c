import { AnnalsError } from '@annals/contract';
import { type LogPlace, logStart } from '../log/follower-place.ts';
import type { LogRange } from '../log/read-rows.ts';
import type { LogEnd } from './log-ends.ts';

export function formatTailCursor({ epoch, index }: LogPlace): string {
  return `${epoch}.${index}`;
}

/** Takes what the contract's schema has let through. */
export function parseTailCursor(text: string): LogPlace {
  const [epoch, index] = text.split('.').map(Number);
  return { epoch: epoch ?? 0, index: index ?? 0 };
}

/** The place behind the last entry of a log, of which these are the epochs. */
export function placeAtEnd(ends: readonly LogEnd[]): LogPlace {
  const last = ends.at(-1);
  return last ? { epoch: last.epoch, index: last.size } : logStart;
}

/**
 * What there is to be read at a place, up to the end of its epoch; empty at the end of the log. Where an epoch is
 * over, the next one follows: a restore can have taken entries back before, which are told again as what they are
 * then, entries of the new epoch.
 *
 * Errors  `invalid_input` at `lastEventId` for a place beyond the end of the log: what lies between would be missed.
 */
export function rangeAt(ends: readonly LogEnd[], { epoch, index }: LogPlace): LogRange {
  const size = ends.find((end) => end.epoch === epoch)?.size ?? 0;
  if (index < size) return { epoch, start: index, end: size };
  const next = ends.find((end) => end.epoch > epoch);
  if (next) return rangeAt(ends, { epoch: next.epoch, index: 0 });
  const isKnown = epoch === logStart.epoch || ends.some((end) => end.epoch === epoch);
  if (isKnown && index === size) return { epoch, start: index, end: index };
  throw new AnnalsError({
    code: 'invalid_input',
    message: 'lies beyond the end of the log, which a restore may have taken back: begin anew without it',
    path: 'lastEventId',
  });
}
