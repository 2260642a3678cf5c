import type { Pool, PoolClient } from 'pg';

/**
 * Give back to the pool the connections that are lost while a transaction holds them.
 *
 * The query builder gives a connection back after a commit or a rollback that succeeded, which none does over a
 * lost connection: without this the pool would run dry, and the process wait for ever.
 */
export function releaseLostConnections(pool: Pool): void {
  const taken = new Set<PoolClient>();
  pool.on('acquire', (client) => taken.add(client));
  pool.on('release', (_error, client) => taken.delete(client));
  pool.on('connect', (client) => {
    client.once('end', () => {
      // Whoever waits for a query of it is told first, and may give it back.
      setImmediate(() => {
        if (taken.delete(client)) client.release(true);
      });
    });
  });
}
