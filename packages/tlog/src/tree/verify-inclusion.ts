import { equalBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import { checkHash, hashNode } from './hash.ts';
import { checkInteger, half, isOdd } from './size.ts';

export interface InclusionProof {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
}

/** The size and root of a tree, as a checkpoint tells them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Check that the entry with this leaf hash stands at `index` of the tree with `root`.
 *
 * Errors  `bad_argument` for an index beyond the tree, `bad_proof` for a proof of another length,
 *         `root_mismatch` for one that leads elsewhere.
 * Source  RFC 9162, section 2.1.3.2, which states the check for the proofs of RFC 6962.
 */
export function verifyInclusion({ root, ...proof }: InclusionProof & TreeHead): void {
  if (!equalBytes(rootFromInclusion(proof), root)) {
    throw new TlogError('root_mismatch', 'the inclusion proof leads to another root');
  }
}

/** The root that an inclusion proof leads to; its errors are those of `verifyInclusion`. */
export function rootFromInclusion({ leafHash, index, size, proof }: InclusionProof): Uint8Array {
  checkInteger(size, { name: 'size', min: 1 });
  checkInteger(index, { name: 'index', max: size - 1 });
  checkHash(leafHash);
  let node = index;
  let last = size - 1;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0) throw new TlogError('bad_proof', 'the inclusion proof is too long');
    if (isOdd(node) || node === last) {
      hash = hashNode(sibling, hash);
      // A last node without a sibling moves up unchanged until it is a right child.
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = hashNode(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw new TlogError('bad_proof', 'the inclusion proof is too short');
  return hash;
}
