import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';

/** Bytes of the timestamp that stands before an Ed25519 cosignature. */
const timestampBytes = 8;

/** What an Ed25519 cosigner signs (C2SP tlog-cosignature, "Ed25519 signed message"). */
export function cosignedMessage(text: string, timestamp: number): Uint8Array {
  return encodeText(`cosignature/v1\ntime ${timestamp}\n${text}`);
}

/** The timestamp as it stands in a cosignature: uint64, big-endian. */
export function cosignatureBytes(timestamp: number): Uint8Array {
  const bytes = new Uint8Array(timestampBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(timestamp));
  return bytes;
}

/**
 * The two parts of an Ed25519 `timestamped_signature` (C2SP tlog-cosignature, "Format").
 *
 * Errors  `signature_invalid` for another length or a timestamp beyond 2^53 - 1 seconds.
 */
export function readCosignature(bytes: Uint8Array): { timestamp: number; signature: Uint8Array } {
  if (bytes.length !== timestampBytes + 64) {
    throw new TlogError('signature_invalid', 'an Ed25519 cosignature has 72 bytes');
  }
  const timestamp = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
  if (!Number.isSafeInteger(timestamp)) {
    throw new TlogError('signature_invalid', 'the time of a cosignature is out of range');
  }
  return { timestamp, signature: bytes.slice(timestampBytes) };
}
