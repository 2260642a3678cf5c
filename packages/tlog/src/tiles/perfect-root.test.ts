import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashMemory } from '../sha256/hash-memory.ts';
import { freeFrom } from '../sha256/sha256x4-module.ts';
import { hashNode, splitHashes } from '../tree/hash.ts';
import { perfectRoot } from './perfect-root.ts';

/** By the definition (RFC 6962, section 2.1). */
function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  const half = hashes.length / 2;
  return half < 1
    ? (hashes[0] as Uint8Array)
    : hashNode(rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}

test.each([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])('the root over %i hashes is that of the tree', (count) => {
  const bytes = Buffer.concat(
    Array.from({ length: count }, (_, at) => createHash('sha256').update(`${count}.${at}`).digest()),
  );
  expect(Buffer.from(perfectRoot(bytes))).toEqual(Buffer.from(rootOf(splitHashes(bytes))));
  // Twice, since the first must leave nothing behind.
  expect(Buffer.from(perfectRoot(bytes))).toEqual(Buffer.from(rootOf(splitHashes(bytes))));
  expect(
    hashMemory()
      .bytes.subarray(freeFrom)
      .every((byte) => byte === 0),
  ).toBe(true);
});
