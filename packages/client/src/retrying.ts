import type { AnnalsError, ErrorCode } from '@annals/contract';
import { sleep } from './abortable.ts';
import type { RetryOptions } from './options.ts';

/** A server that asks for a longer pause is not waited for. */
const retryAfterMaxMs = 60_000;

/** What goes by itself: nothing was done, or it can be done again. */
const passing: ReadonlySet<ErrorCode> = new Set(['unavailable', 'overloaded']);

/** Thrown by an attempt: the failure, and how long the server asked to be left alone. */
export class AttemptFailed extends Error {
  readonly error: AnnalsError;
  readonly retryAfterMs: number;

  constructor(error: AnnalsError, retryAfterMs: number) {
    super(error.message, { cause: error });
    this.error = error;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Backoff {
  /** Wait before the next attempt. Errors: the failure itself where another attempt is not worth making. */
  pause(failure: AttemptFailed, signal: AbortSignal | undefined): Promise<void>;
  /** All is well again. */
  reset(): void;
}

/** Pauses with full jitter, so that clients that failed together do not come back together. */
export function createBackoff({ attemptsMax, baseMs, pauseMaxMs }: Required<RetryOptions>): Backoff {
  let failures = 0;
  return {
    pause: async ({ error, retryAfterMs }, signal) => {
      failures += 1;
      const passes = passing.has(error.code) && retryAfterMs <= retryAfterMaxMs;
      if (!passes || failures >= attemptsMax) throw error;
      const ceilingMs = Math.min(pauseMaxMs, baseMs * 2 ** (failures - 1));
      await sleep(retryAfterMs + Math.random() * ceilingMs, signal);
    },
    reset: () => {
      failures = 0;
    },
  };
}

/** What a `retry-after` asks for: seconds, or a time by the server's clock. */
export function retryAfterMsOf(headers: Headers, nowMs: number): number {
  const text = headers.get('retry-after') ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? 0 : Math.max(0, timeMs - nowMs);
}
