import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@annals/api';
import { pino } from 'pino';

export interface BenchDatabase {
  readonly url: string;
  close(): Promise<void>;
}

/** The server that the product brings along, as it is configured there: fsync and synchronous_commit on. */
export async function openDatabase(): Promise<BenchDatabase> {
  const parent = await mkdtemp(join(tmpdir(), 'annals-bench-'));
  const server = await startEmbeddedPostgres({
    dataDir: join(parent, 'data'),
    log: pino({ level: 'silent' }),
  });
  return {
    url: server.url,
    close: async () => {
      await server.stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}
