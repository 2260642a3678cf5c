import { equalBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import { hashNode } from './hash.ts';
import { checkInteger, half, isOdd } from './size.ts';
import { subtreesOf } from './subtrees.ts';
import type { TreeHead } from './verify-inclusion.ts';

export interface ConsistencyProof {
  readonly from: TreeHead;
  readonly to: TreeHead;
  readonly proof: readonly Uint8Array[];
}

/**
 * Check that the tree `from` is a prefix of the tree `to`.
 *
 * Every tree follows from the empty one, so that nothing can be checked from size 0: it is refused, and a
 * caller for whom that is the first sight of a log must say so itself.
 *
 * Errors  `bad_argument` for impossible sizes, `bad_proof` for a proof of another length,
 *         `root_mismatch` for one that leads elsewhere.
 * Source  RFC 9162, section 2.1.4.2, which states the check for the proofs of RFC 6962.
 */
export function verifyConsistency({ from, to, proof }: ConsistencyProof): void {
  checkInteger(to.size, { name: 'the larger size', min: 1 });
  checkInteger(from.size, { name: 'the smaller size', min: 1, max: to.size });
  if (from.size === to.size) {
    if (proof.length > 0) throw new TlogError('bad_proof', 'between equal sizes the proof is empty');
    expectRoot(from.root, to.root);
    return;
  }
  const [start, ...rest] = isPerfect(from.size) ? [from.root, ...proof] : proof;
  if (!start) throw new TlogError('bad_proof', 'the consistency proof is too short');
  const reached = climb({ start, rest, node: from.size - 1, last: to.size - 1 });
  expectRoot(reached.from, from.root);
  expectRoot(reached.to, to.root);
}

interface Climb {
  readonly start: Uint8Array;
  readonly rest: readonly Uint8Array[];
  readonly node: number;
  readonly last: number;
}

/** Go from the last subtree that both trees share up to the roots of both. */
function climb({ start, rest, ...positions }: Climb): { from: Uint8Array; to: Uint8Array } {
  let { node, last } = positions;
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let [from, to] = [start, start];
  for (const hash of rest) {
    if (last === 0) throw new TlogError('bad_proof', 'the consistency proof is too long');
    if (isOdd(node) || node === last) {
      from = hashNode(hash, from);
      to = hashNode(hash, to);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      to = hashNode(to, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw new TlogError('bad_proof', 'the consistency proof is too short');
  return { from, to };
}

/** Whether a tree of this size is one perfect subtree. */
function isPerfect(size: number): boolean {
  return subtreesOf(0, size).length === 1;
}

function expectRoot(reached: Uint8Array, expected: Uint8Array): void {
  if (!equalBytes(reached, expected)) {
    throw new TlogError('root_mismatch', 'the consistency proof leads to another root');
  }
}
