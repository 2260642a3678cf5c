import cluster from 'node:cluster';
import { AnnalsError } from '@annals/contract';
import { ConfigError, loadConfig } from './config.ts';
import { createLog } from './log.ts';
import { StartError } from './postgres/index.ts';
import { runFork } from './processes/run-fork.ts';
import { startAnnals } from './start.ts';

/**
 * The process. Signals are handled before anything is started, so that whatever is running then is stopped:
 * the first one ends cleanly, the second at once.
 */
async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort();
    });
  }
  const config = loadConfig(process.env);
  const log = createLog(config.logLevel);
  const annals = await startAnnals(config, { log, print: (text) => process.stdout.write(`${text}\n`) });
  const reason = await Promise.race([stopped(stopping.signal), annals.failed]);
  await annals.stop();
  if (reason) throw new StartError(reason);
}

function stopped(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** What the operator can mend is one sentence; anything else is a defect, and its stack helps. */
function describe(error: unknown): string {
  if (error instanceof AnnalsError && error.code === 'unavailable')
    return `${error.message}${reasonOf(error)}`;
  const told = error instanceof ConfigError || error instanceof StartError || error instanceof AnnalsError;
  return told ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The innermost cause, as ` (connect ECONNREFUSED 127.0.0.1:5432)`. */
function reasonOf(error: Error): string {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  return cause instanceof Error && cause !== error && cause.message ? ` (${cause.message})` : '';
}

try {
  if (cluster.isWorker) runFork();
  else await main();
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
