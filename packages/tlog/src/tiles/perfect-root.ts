import { hashMemory, type Messages, paddedLength, padMessage } from '../sha256/hash-memory.ts';
import { freeFrom } from '../sha256/sha256x4-module.ts';
import { hashBytes, splitHashes } from '../tree/hash.ts';
import { parentsOf } from '../tree/subtrees.ts';
import { tileWidth } from './tile.ts';

/** A node's message: 0x01 and the hashes of its children (RFC 6962, section 2.1). */
const nodeBytes = 1 + 2 * hashBytes;
const slotBytes = paddedLength(nodeBytes);

/** The levels of a tree take turns: a hash may not stand where a message of the same call does. */
const regions = [freeFrom, freeFrom + (tileWidth / 2) * slotBytes] as const;
const end = regions[1] + (tileWidth / 4) * slotBytes;

/** With fewer, to write them into the memory takes longer than it spares. */
const lanesMin = 8;

/** The root over 1, 2, 4 ... hashes, at most those of a tile, that stand one after the other. */
export function perfectRoot(bytes: Uint8Array): Uint8Array {
  const count = bytes.length / hashBytes;
  if (count >= lanesMin && count <= tileWidth && hashMemory().kind === 'simd')
    return rootInLanes(bytes, count);
  let hashes = splitHashes(bytes);
  while (hashes.length > 1) hashes = parentsOf(hashes);
  return hashes[0] as Uint8Array;
}

/** Level by level, four nodes at a time; each hash goes into the message of its parent. */
function rootInLanes(bytes: Uint8Array, count: number): Uint8Array {
  const memory = hashMemory();
  for (let child = 0; child < count; child += 1) {
    const at = child * hashBytes;
    memory.bytes.set(bytes.subarray(at, at + hashBytes), placeOf(regions[0], child));
  }
  let [from, to]: readonly [number, number] = regions;
  for (let nodes = count >> 1; nodes >= 1; nodes >>= 1) {
    const messages: Messages = { starts: [], lengths: [], outputs: [] };
    for (let node = 0; node < nodes; node += 1) {
      const start = from + node * slotBytes;
      memory.bytes[start] = 1;
      padMessage(memory.bytes, { start, length: nodeBytes });
      messages.starts.push(start);
      messages.lengths.push(nodeBytes);
      messages.outputs.push(placeOf(to, node));
    }
    memory.hash(messages);
    [from, to] = [to, from];
  }
  const root = memory.bytes.slice(from + 1, from + 1 + hashBytes);
  memory.bytes.fill(0, freeFrom, end);
  return root;
}

/** Where the hash of a child stands in the message of its parent. */
function placeOf(region: number, child: number): number {
  return region + (child >> 1) * slotBytes + 1 + (child & 1) * hashBytes;
}
