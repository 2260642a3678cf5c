import { platform } from '#platform';
import { TlogError } from '../tlog-error.ts';

/** Bytes of a SHA-256 hash. */
export const hashBytes = 32;

/** The root of the tree without entries: the hash of nothing (RFC 6962, section 2.1). */
export const emptyRoot: Uint8Array = platform.sha256(new Uint8Array());

/** The leaf hash of an entry: SHA-256(0x00 || entry) (RFC 6962, section 2.1). */
export function hashLeaf(entry: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(entry.length + 1);
  prefixed.set(entry, 1);
  return platform.sha256(prefixed);
}

// One buffer for all nodes: hashing is synchronous and keeps none of its input.
const nodeInput = new Uint8Array(1 + 2 * hashBytes);
nodeInput[0] = 1;

/** The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962, section 2.1). */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  checkHash(left);
  checkHash(right);
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashBytes);
  return platform.sha256(nodeInput);
}

/** Refuse with `bad_argument` what is not as long as a hash. */
export function checkHash(hash: Uint8Array): void {
  if (hash.length !== hashBytes) {
    throw new TlogError('bad_argument', `a hash has ${hashBytes} bytes, not ${hash.length}`);
  }
}

/** The hashes that stand one after the other in `bytes`, as views of it. */
export function splitHashes(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % hashBytes !== 0) {
    throw new TlogError('bad_argument', `hashes have ${hashBytes} bytes each, not ${bytes.length} in all`);
  }
  return Array.from({ length: bytes.length / hashBytes }, (_, index) =>
    bytes.subarray(index * hashBytes, (index + 1) * hashBytes),
  );
}
