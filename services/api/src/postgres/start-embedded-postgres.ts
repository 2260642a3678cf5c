import { join } from 'node:path';
import type { Logger } from 'pino';
import { runnableBinaries } from './binaries.ts';
import { embeddedDatabase, ensureCluster } from './cluster.ts';
import { explain, prepareDataDirectory } from './data-directory.ts';
import { clearLeftoverServer } from './leftover-server.ts';
import { acquireProcessLock } from './process-lock.ts';
import { chooseServerAccount, withAccessTo } from './server-account.ts';
import { startServer } from './server-process.ts';

export interface EmbeddedPostgresOptions {
  /** Holds the cluster in `postgres/`, `secrets.json` and `annals.pid`; made if absent. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Called once if the server ends without having been asked to. */
  readonly onUnexpectedExit?: (message: string) => void;
  /** Finds a port to try; for tests. */
  readonly choosePort?: () => Promise<number>;
}

export interface EmbeddedPostgres {
  /** Superuser URL of the database `annals`, on loopback. */
  readonly url: string;
  readonly port: number;
  /** The server's own process. */
  readonly pid: number;
  /** Whether this start made the cluster. */
  readonly created: boolean;
  /** Shut the server down and give the data directory free. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Start the embedded PostgreSQL of a data directory, initialising it on the first start.
 *
 * Recovers by itself from an interrupted first start, a crash, a server left running by a killed Annals
 * process, and lost secrets.
 * Errors: StartError, whose message is the one sentence to print; nothing is left running or locked then.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, onUnexpectedExit, choosePort } = options;
  const dataDir = await prepareDataDirectory(options.dataDir);
  const clusterDir = join(dataDir, 'postgres');
  try {
    const lock = await acquireProcessLock({ dataDir, log });
    try {
      const account = withAccessTo(await chooseServerAccount(clusterDir), dataDir);
      if (account.capability)
        log.info({ dataDir }, `PostgreSQL passes closed directories with ${account.capability}`);
      const binaries = await runnableBinaries(account);
      await clearLeftoverServer({ clusterDir, log });
      const { password, created } = await ensureCluster({ dataDir, binaries, account });
      const server = await startServer({ clusterDir, binaries, account, log, onUnexpectedExit, choosePort });
      const url = `postgresql://postgres:${password}@127.0.0.1:${server.port}/${embeddedDatabase}`;
      const stop = async () => {
        await server.stop();
        await lock.release();
      };
      return { url, port: server.port, pid: server.pid, created, stop };
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw explain(error, dataDir);
  }
}
