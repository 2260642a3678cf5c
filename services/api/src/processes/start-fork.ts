import cluster from 'node:cluster';
import { StartError } from '../postgres/start-error.ts';
import type { FirstCalls, ForkCalls } from './fork-calls.ts';
import { type Line, openLine } from './line.ts';

/** A process of this server that serves. */
export interface Fork {
  readonly pid: number | undefined;
  readonly line: Line<ForkCalls>;
  /** Resolves with what ended it. */
  readonly ended: Promise<string>;
  kill(): void;
}

/** Start this program once more as a fork, which waits for what it is told. */
export function startFork(answers: FirstCalls): Fork {
  cluster.setupPrimary({
    // JSON would lose what is not a number, as the lag of a loop that has not turned yet.
    serialization: 'advanced',
    // Left to itself Node has a young generation of 128 MiB by and by, which serves neither writes nor exports faster.
    execArgv: [...process.execArgv, '--max-semi-space-size=16'],
  });
  const worker = cluster.fork();
  const ended = new Promise<string>((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) => resolve(signal ?? `code ${code}`));
    // It could not be started.
    worker.once('error', (error) => resolve(error.message));
  });
  return {
    pid: worker.process.pid,
    line: openLine<ForkCalls>(worker, { ...answers }),
    ended,
    kill: () => worker.process.kill('SIGKILL'),
  };
}

/** What a fork answers, or that it ended before. */
export async function orEnded<T>(fork: Fork, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`A process of this server ended (${await fork.ended}) before it served.`, {
      cause: error,
    });
  }
}

/** Let it answer what is in hand for at most `graceMs`; resolves when it has ended. */
export async function endFork(fork: Fork, graceMs: number): Promise<void> {
  fork.line.ask('stop', graceMs).catch(() => undefined);
  const kill = setTimeout(() => fork.kill(), graceMs + closingMs);
  await fork.ended;
  clearTimeout(kill);
}

/** For its connections to the database, after the calls. */
const closingMs = 5_000;
