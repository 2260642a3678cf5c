import { expect, test } from 'vitest';
import { endOf } from './server-process.ts';

test('a server that ran out of disk says so when it ends', () => {
  const full = 'FATAL:  could not write to file "pg_wal/xlogtemp.1": No space left on device';
  expect(endOf('/data/postgres', 'code 1', [full, 'LOG:  database system is shut down'])).toBe(
    'The disk that holds the cluster /data/postgres is full; free some space and start again.',
  );
  expect(endOf('/data/postgres', 'SIGKILL', [])).toBe(
    'The embedded PostgreSQL stopped unexpectedly (SIGKILL).',
  );
});
