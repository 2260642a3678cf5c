import {
  rootOf,
  splitHashes,
  type Tile,
  type TreeHead,
  tilePath,
  tilesWritten,
  verifyConsistency,
  verifyInclusion,
} from '@annals/tlog';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCore, sequenceAll, type TestCore } from '../testing.ts';
import { consistencyProof } from './consistency-proof.ts';
import { inclusionProof } from './inclusion-proof.ts';
import { readTiles } from './read-tiles.ts';
import { commitLeaves, type Stored } from './testing-batches.ts';

let core: TestCore;
let tenantId: string;
let leaves: Uint8Array[];
/** The log has been of each of these sizes. */
const sizes = [1, 2, 255, 256, 257, 300, 512, 700, 65_535, 65_536, 65_537, 66_000];
beforeAll(async () => {
  core = await openTestCore();
  tenantId = core.context().tenantId;
  const stored: Stored = new Map();
  for (const [at, size] of sizes.entries()) {
    await commitLeaves(core, { tenantId, count: size - (sizes[at - 1] ?? 0), stored });
  }
  await sequenceAll(core, tenantId);
  leaves = splitHashes(Buffer.concat([...stored.values()]));
});
afterAll(() => core.close());

const read = <T>(work: Parameters<typeof core.services.db.transaction<T>>[1]) =>
  core.services.db.transaction(tenantId, work);

function treeOf(size: number): TreeHead {
  const tree = trees.get(size) ?? { size, root: rootOf(leaves.slice(0, size)) };
  trees.set(size, tree);
  return tree;
}

const trees = new Map<number, TreeHead>();

test('entries are proved to be in the tree of every size that the log has had', async () => {
  for (const size of sizes) {
    const { root } = treeOf(size);
    for (const index of new Set([0, size >> 1, Math.max(0, size - 256), size - 1])) {
      const proof = await read((tx) => inclusionProof(tx, { epoch: 1, size, index }));
      verifyInclusion({ leafHash: leaves[index] as Uint8Array, index, size, proof, root });
    }
  }
});

test('the tree of every size is proved to begin with that of every size before', async () => {
  for (const [at, size] of sizes.entries()) {
    for (const from of sizes.slice(0, at + 1)) {
      const proof = await read((tx) => consistencyProof(tx, { epoch: 1, from, size }));
      verifyConsistency({ from: treeOf(from), to: treeOf(size), proof });
    }
  }
});

test('partial tiles of every size are read from what stands in their place by now', async () => {
  for (const size of sizes) {
    const wanted = [...tilesWritten(0, size)].filter(({ width }) => width < 256);
    const found = await read((tx) => readTiles(tx, { epoch: 1 }, wanted));
    expect([...found.keys()]).toEqual(wanted.map(tilePath));
    for (const { level, index, width } of wanted.filter((tile) => tile.level === 0)) {
      const expected = Buffer.concat(leaves.slice(index * 256, index * 256 + width));
      expect(Buffer.compare(found.get(tilePath({ level, index, width })) as Uint8Array, expected)).toBe(0);
    }
  }
});

test('what the log does not have is left out, and nothing is proved of it', async () => {
  const beyond: Tile[] = [
    { level: 0, index: 257, width: 256 },
    { level: 0, index: 257, width: 209 },
    { level: 0, index: 258, width: 1 },
    { level: 1, index: 1, width: 2 },
    { level: 2, index: 0, width: 2 },
    { level: 3, index: 0, width: 1 },
  ];
  expect(await read((tx) => readTiles(tx, { epoch: 1 }, beyond))).toEqual(new Map());
  const there = { level: 0, index: 257, width: 208 };
  expect((await read((tx) => readTiles(tx, { epoch: 1 }, [there]))).size).toBe(1);
  expect((await read((tx) => readTiles(tx, { epoch: 2 }, [there]))).size).toBe(0);
  const larger = read((tx) => inclusionProof(tx, { epoch: 1, size: 66_001, index: 0 }));
  await expect(larger).rejects.toMatchObject({ reason: 'missing_tile' });
  const outside = read((tx) => inclusionProof(tx, { epoch: 1, size: 300, index: 300 }));
  await expect(outside).rejects.toMatchObject({ reason: 'bad_argument' });
  const elsewhere = core.services.db.transaction(core.context().tenantId, (tx) =>
    consistencyProof(tx, { epoch: 1, from: 1, size: 300 }),
  );
  await expect(elsewhere).rejects.toMatchObject({ reason: 'missing_tile' });
});
