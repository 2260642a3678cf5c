import { TlogError } from '../tlog-error.ts';
import { checkHash, emptyRoot, hashNode } from './hash.ts';
import { checkInteger } from './size.ts';
import { foldHashes, type NodeId, subtreesOf } from './subtrees.ts';

/**
 * What must be kept of the entries from `start` up to `end` to go on appending and to compute the root:
 * the hashes of `subtreesOf(start, end)`, at most 53 from 0 and 105 from elsewhere. Plain data, to persist.
 */
export interface CompactRange {
  readonly start: number;
  readonly end: number;
  readonly hashes: readonly Uint8Array[];
}

interface HashedNode extends NodeId {
  readonly hash: Uint8Array;
}

/** The range of no entries at `start`; without it, the empty tree. */
export function emptyRange(start = 0): CompactRange {
  checkInteger(start, { name: 'start' });
  return { start, end: start, hashes: [] };
}

/** The range with entries appended, by their leaf hashes. The given range stays as it is. */
export function appendLeaves(range: CompactRange, leafHashes: readonly Uint8Array[]): CompactRange {
  const nodes = nodesOf(range);
  const end = range.end + leafHashes.length;
  checkInteger(end, { name: 'the end of the range' });
  for (const [offset, hash] of leafHashes.entries()) {
    checkHash(hash);
    push(nodes, { level: 0, index: range.end + offset, hash });
  }
  return { start: range.start, end, hashes: nodes.map((node) => node.hash) };
}

/** The range of both: `right` must start where `left` ends. */
export function mergeRanges(left: CompactRange, right: CompactRange): CompactRange {
  if (left.end !== right.start) {
    throw new TlogError('bad_argument', `a range from ${right.start} does not follow one to ${left.end}`);
  }
  const nodes = nodesOf(left);
  for (const node of nodesOf(right)) push(nodes, node);
  return { start: left.start, end: right.end, hashes: nodes.map((node) => node.hash) };
}

/** The root of the tree of `range.end` entries (RFC 6962, section 2.1); the range must start at 0. */
export function rootOfRange(range: CompactRange): Uint8Array {
  if (range.start !== 0) throw new TlogError('bad_argument', 'only a range from 0 has the root of a tree');
  nodesOf(range);
  return foldHashes(range.hashes) ?? emptyRoot;
}

/** The root of the tree with these leaf hashes (RFC 6962, section 2.1). */
export function rootOf(leafHashes: readonly Uint8Array[]): Uint8Array {
  return rootOfRange(appendLeaves(emptyRange(), leafHashes));
}

function nodesOf({ start, end, hashes }: CompactRange): HashedNode[] {
  checkInteger(start, { name: 'the start of a range' });
  checkInteger(end, { name: 'the end of a range', min: start });
  const ids = subtreesOf(start, end);
  if (ids.length !== hashes.length) {
    throw new TlogError(
      'bad_argument',
      `a range from ${start} to ${end} has ${ids.length} hashes, not ${hashes.length}`,
    );
  }
  return ids.map((id, at) => {
    const hash = hashes[at] as Uint8Array;
    checkHash(hash);
    return { ...id, hash };
  });
}

/** Put the next node to the right, joining siblings as long as there are any. */
function push(nodes: HashedNode[], next: HashedNode): void {
  let { level, index, hash } = next;
  for (;;) {
    const left = nodes.at(-1);
    if (left?.level !== level || index % 2 === 0) break;
    nodes.pop();
    hash = hashNode(left.hash, hash);
    level += 1;
    index = (index - 1) / 2;
  }
  nodes.push({ level, index, hash });
}
