import type { SignedMessage } from './platform.ts';

/**
 * Whether a signature may be checked at all: key and signature have their lengths, and neither key nor R is
 * a point of small order. With such a key one signature holds for many messages, so that it proves nothing;
 * some libraries refuse them and others do not, and a verdict must not depend on where it is made.
 */
export function hasSignatureForm({ signature, publicKey }: SignedMessage): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return !isSmallOrder(publicKey) && !isSmallOrder(signature.subarray(0, 32));
}

/** Curve25519's points of order 1, 2, 4 and 8, by their y in hexadecimal, little-endian, the sign bit clear. */
const smallOrder: ReadonlySet<string> = new Set([
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  // The first and the third once more, not reduced by the order of the field.
  `ee${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
]);

function isSmallOrder(point: Uint8Array): boolean {
  const y = Array.from(point, (byte, at) => (at === 31 ? byte & 0x7f : byte));
  return smallOrder.has(y.map((byte) => byte.toString(16).padStart(2, '0')).join(''));
}
