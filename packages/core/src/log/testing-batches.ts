import { createHash } from 'node:crypto';
import { emptyEdge, growTiles, hashBytes, rootOf, splitHashes, tileWidth } from '@annals/tlog';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import { expect } from 'vitest';
import type { Tx } from '../database/database.ts';
import type { TestCore } from '../testing.ts';
import { newestLog } from './newest-log.ts';

/** For tests: the leaves that were stored of a tenant, by the id of their batch. */
export type Stored = Map<string, Buffer>;

let made = 0;

/** For tests: leaf hashes, one after the other, which no other call gives. */
export function someLeaves(count: number): Buffer {
  const seed = createHash('sha256').update(String(made++)).digest();
  const leaves = Buffer.alloc(count * hashBytes, seed);
  for (let at = 0; at < count; at += 1) leaves.writeUInt32BE(at, at * hashBytes);
  return leaves;
}

/** For tests: a batch of so many leaves without its activities, as a writer would leave it. */
export async function storeLeaves(tx: Tx, count: number): Promise<[id: string, leaves: Buffer]> {
  const id = v7();
  const leaves = someLeaves(count);
  await tx.query(sql`
    insert into annals.batch
      (tenant_id, id, size, recorded_at, first_occurred_at, last_occurred_at, root, leaves)
    values (${tx.tenantId}, ${id}, ${count}, now(), now(), now(),
      ${Buffer.from(rootOf(splitHashes(leaves)))}, ${leaves})`);
  tx.notify('annals_batch');
  return [id, leaves];
}

/** For tests: store a batch of so many leaves in a transaction of its own, and remember it. */
export async function commitLeaves(
  { services }: Pick<TestCore, 'services'>,
  { tenantId, count, stored }: { tenantId: string; count: number; stored: Stored },
): Promise<void> {
  const [id, leaves] = await services.db.transaction(tenantId, (tx) => storeLeaves(tx, count));
  stored.set(id, leaves);
}

/**
 * For tests: that the tenant's log is what its batches in the order of their indexes make: no index given twice or
 * left out, and root, tiles and edge those of a tree that is built anew.
 */
export async function expectSound(
  { services }: Pick<TestCore, 'services'>,
  tenantId: string,
  stored: Stored,
): Promise<void> {
  const { log, batches, tiles } = await services.db.transaction(tenantId, readAll, { snapshot: true });
  const placed = batches.filter(({ first }) => first !== null);
  let next = 0;
  for (const { id, first, size, leaves } of placed) {
    expect([first, leaves]).toEqual([next, null]);
    expect(stored.get(id)).toHaveLength(size * hashBytes);
    next += size;
  }
  expect(batches.filter(({ first, leaves }) => first === null && leaves === null)).toEqual([]);
  const all = splitHashes(Buffer.concat(placed.map(({ id }) => stored.get(id) as Buffer)));
  const { edge, written } = growTiles(emptyEdge, all);
  expect(log?.size ?? 0).toBe(all.length);
  expect(hex(log?.root ?? rootOf([]))).toBe(hex(rootOf(all)));
  expect((log?.edge.tiles ?? []).map(hex)).toEqual(edge.tiles.map(hex));
  const full = written.filter(({ tile }) => tile.width === tileWidth);
  expect(tiles.map(({ level, index, hashes }) => [level, index, hex(hashes)])).toEqual(
    full.map(({ tile, bytes }) => [tile.level, tile.index, hex(bytes)]),
  );
}

async function readAll(tx: Tx) {
  const log = await newestLog(tx);
  const batches = await tx.query(
    sql<{ id: string; first: number | null; size: number; leaves: Buffer | null }>`
      select id, first_index::float8 as first, size, leaves from annals.batch
      where tenant_id = ${tx.tenantId} order by first_index`,
  );
  const tiles = await tx.query(
    sql<{ level: number; index: number; hashes: Buffer }>`
      select level, index::float8 as index, hashes from annals.tile
      where tenant_id = ${tx.tenantId} order by level, tile.index`,
  );
  return { log, batches, tiles };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
