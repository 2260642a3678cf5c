import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { commandLine, processMarker } from './process-table.ts';
import { StartError } from './start-error.ts';

/** What Annals calls every server it starts; shows in the process list. */
export const serverName = 'annals';

export interface LeftoverOptions {
  readonly clusterDir: string;
  readonly log: Logger;
  /** How long a leftover server may take to shut down before its sessions are cut off. */
  readonly patienceMs?: number;
}

/**
 * Clear away what an earlier server left in the cluster, so that the next one can start.
 *
 * A server that Annals started and that outlived it (SIGKILL, power over the process only) is stopped. The
 * caller holds the process lock, so nobody uses it. A `postmaster.pid` whose number now belongs to another
 * program is removed; one whose process is gone is left to PostgreSQL, which also checks that no session of
 * it is still writing.
 * Errors: StartError naming the process, for a server on this cluster that Annals did not start.
 */
export async function clearLeftoverServer({
  clusterDir,
  log,
  patienceMs = 60_000,
}: LeftoverOptions): Promise<void> {
  const file = join(clusterDir, 'postmaster.pid');
  const content = await readFile(file, 'utf8').catch(() => '');
  // A standalone backend writes its number negated.
  const pid = Math.abs(Number.parseInt(content, 10));
  if (!pid || processMarker(pid) === undefined) return;
  const command = commandLine(pid);
  // Unreadable counts as a server: starting a second one on the same files would destroy them.
  if (command !== undefined && !/^\S*postgres(\.exe)?(:| |$)/.test(command)) {
    log.info(
      { pid },
      'removing the pid file of a PostgreSQL that is gone; its number belongs to another program',
    );
    await rm(file, { force: true });
    return;
  }
  if (!command?.includes(`-D ${clusterDir} `) || !command.includes(`cluster_name=${serverName}`)) {
    throw new StartError(
      `The cluster ${clusterDir} is in use by another PostgreSQL server (process ${pid}); stop it or set ANNALS_DATA_DIR to another directory.`,
    );
  }
  log.info({ pid }, 'stopping the embedded PostgreSQL that an earlier Annals process left running');
  await stopProcess(pid, patienceMs);
}

async function stopProcess(pid: number, patienceMs: number): Promise<void> {
  const marker = processMarker(pid);
  // Fast shutdown first; then the immediate one, after which the next start recovers from the log.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone, which the check below sees, or not ours to signal, which ends in the error.
    }
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 20) {
      if (processMarker(pid) !== marker) return;
      await delay(20);
    }
  }
  throw new StartError(
    `The PostgreSQL server that an earlier Annals process left running (process ${pid}) does not stop; end it and start again.`,
  );
}
