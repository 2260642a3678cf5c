import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartError } from '../postgres/start-error.ts';
import type { Fork } from './start-fork.ts';

export interface ReplaceOptions {
  readonly start: () => Fork;
  /** Have it serve. */
  readonly begin: (fork: Fork) => Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const pauseMs = { least: 100, most: 10_000 };
/** Who has lived so long did not end because of how it began. */
const steadyMs = 30_000;

/** Put another in the place of a fork that has ended, and of that one, until the signal; the more slowly the sooner they end. */
export async function replaceForks(
  first: Fork,
  { start, begin, log, signal }: ReplaceOptions,
): Promise<void> {
  let fork = first;
  let nextPauseMs = pauseMs.least;
  for (;;) {
    const startedMs = performance.now();
    const cause = await fork.ended;
    if (signal.aborted) return;
    log.error({ pid: fork.pid, cause }, 'a process that serves has ended; another takes its place');
    if (performance.now() - startedMs > steadyMs) nextPauseMs = pauseMs.least;
    await delay(nextPauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    nextPauseMs = Math.min(2 * nextPauseMs, pauseMs.most);
    fork = start();
    begin(fork).catch(onRefused(fork, log));
  }
}

/** As where the database cannot be reached just then: it is tried again. */
function onRefused(fork: Fork, log: Logger) {
  return (error: unknown) => {
    const reason = error instanceof StartError ? error.message : undefined;
    log.error({ pid: fork.pid, reason }, 'a process cannot serve');
    fork.kill();
  };
}
