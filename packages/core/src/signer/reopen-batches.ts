import { hashBytes, rootOf, splitHashes, tileAt, tilePath, tileWidth } from '@annals/tlog';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { LogRefused } from '../log/grow-log.ts';
import type { Log } from '../log/newest-log.ts';
import { readTiles } from '../log/read-tiles.ts';

interface PlacedBatch {
  readonly id: string;
  readonly firstIndex: number;
  readonly size: number;
  readonly root: Buffer;
}

const batchesAtOnce = 500;

/**
 * Take batches out of a log from an index on, so that they are sequenced again, into the next epoch. Their leaves
 * come back out of the tiles, and are checked against the root that each batch was committed with.
 *
 * Returns how many activities they hold.
 * Errors  `LogRefused` for a batch whose leaves cannot be had any more.
 */
export async function reopenBatches(tx: Tx, log: Log, from: number): Promise<number> {
  let reopened = 0;
  for (;;) {
    // Those that were reopened are no more among them.
    const batches = await placedBatches(tx, log, from);
    if (batches.length === 0) return reopened;
    const leaves = await leavesOf(tx, log, batches);
    await tx.query(sql`
      update annals.batch b set epoch = null, first_index = null, leaves = reopened.leaves
      from unnest(${batches.map(({ id }) => id)}::uuid[], ${leaves}::bytea[]) as reopened (id, leaves)
      where b.tenant_id = ${tx.tenantId} and b.id = reopened.id`);
    for (const { size } of batches) reopened += size;
  }
}

function placedBatches(tx: Tx, { epoch }: Log, from: number): Promise<PlacedBatch[]> {
  return tx.query(sql<PlacedBatch>`
    select id, first_index::float8 as "firstIndex", size, root from annals.batch
    where tenant_id = ${tx.tenantId} and epoch = ${epoch} and first_index >= ${from}
    order by first_index limit ${batchesAtOnce}`);
}

async function leavesOf(tx: Tx, log: Log, batches: readonly PlacedBatch[]): Promise<Buffer[]> {
  const first = batches[0]?.firstIndex ?? 0;
  const last = Math.max(...batches.map(({ firstIndex, size }) => firstIndex + size));
  if (last > log.size) throw new LogRefused('a batch has a place beyond the end of the log');
  const begin = Math.floor(first / tileWidth);
  const tiles = Array.from({ length: Math.ceil(last / tileWidth) - begin }, (_, at) =>
    tileAt({ level: 0, index: begin + at }, log.size),
  );
  const found = await readTiles(tx, log, tiles);
  const hashes = Buffer.concat(tiles.map((tile) => found.get(tilePath(tile)) ?? new Uint8Array()));
  return batches.map(({ id, firstIndex, size, root }) => {
    const start = (firstIndex - begin * tileWidth) * hashBytes;
    const leaves = hashes.subarray(start, start + size * hashBytes);
    const whole = leaves.length === size * hashBytes && size > 0;
    if (whole && Buffer.compare(rootOf(splitHashes(leaves)), root) === 0) return leaves;
    throw new LogRefused('the tiles of the log do not hold the leaves of a batch any more', { batchId: id });
  });
}
