import { TlogError } from '../tlog-error.ts';
import { hashBytes, splitHashes } from '../tree/hash.ts';
import { fixedSlots } from './slots.ts';

/** The version of the format that `encodeEntry` writes, and of the table of slots. */
const version = 1;
const schema = 1;
const kinds = { caller: 1, own: 2 } as const;
const headerBytes = 36;
/** Keys that metadata has at most, and details. */
const keysMax = 256;

/** Which slots of an entry have a value. */
export interface SlotPresence {
  /** Bit n says that the fixed slot n is there. */
  readonly bitmap: number;
  /** Keys of metadata and of details. */
  readonly metadata: number;
  readonly details: number;
}

/** What a log commits to for one activity (docs/format.md). */
export interface Entry extends SlotPresence {
  /** UUID, lowercase. */
  readonly id: string;
  readonly recordedAt: Date;
  /** Whether Annals itself wrote the activity. */
  readonly own: boolean;
  /** One of 32 bytes for each slot that is there, in the order of their numbers. */
  readonly commitments: readonly Uint8Array[];
}

export function slotCount({ bitmap, metadata, details }: SlotPresence): number {
  let count = metadata + details;
  for (let bits = bitmap; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}

/** The numbers of the slots that are there, in order. */
export function slotNumbers({ bitmap, metadata, details }: SlotPresence): number[] {
  return [
    ...fixedSlots.keys().filter((number) => (bitmap >>> number) & 1),
    ...Array.from({ length: metadata }, (_, at) => 256 + at),
    ...Array.from({ length: details }, (_, at) => 512 + at),
  ];
}

/** Refuse with `bad_entry` what no record can have. */
export function checkPresence({ bitmap, metadata, details }: SlotPresence): void {
  if ((bitmap & 1) === 0) throw new TlogError('bad_entry', 'the core slot is missing');
  if (bitmap >>> fixedSlots.length !== 0) throw new TlogError('bad_entry', 'a slot is not known');
  if (metadata > keysMax || details > keysMax) {
    throw new TlogError('bad_entry', `metadata and details have at most ${keysMax} keys each`);
  }
}

export function encodeEntry(entry: Entry): Uint8Array {
  checkPresence(entry);
  if (entry.commitments.length !== slotCount(entry)) {
    throw new TlogError('bad_entry', 'an entry has one commitment for each slot');
  }
  const bytes = new Uint8Array(headerBytes + hashBytes * entry.commitments.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = version;
  bytes[1] = entry.own ? kinds.own : kinds.caller;
  view.setUint16(2, schema);
  view.setUint32(4, entry.bitmap);
  view.setUint16(8, entry.metadata);
  view.setUint16(10, entry.details);
  view.setBigUint64(12, BigInt(entry.recordedAt.getTime()));
  bytes.set(uuidBytes(entry.id), 20);
  for (const [at, commitment] of entry.commitments.entries()) {
    bytes.set(commitment, headerBytes + at * hashBytes);
  }
  return bytes;
}

/** Errors: `bad_entry` for whatever `encodeEntry` would not have written. */
export function decodeEntry(bytes: Uint8Array): Entry {
  if (bytes.length < headerBytes) throw new TlogError('bad_entry', 'the entry ends early');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[0] !== version || view.getUint16(2) !== schema) {
    throw new TlogError('bad_entry', 'the entry is of another version');
  }
  const kind = bytes[1];
  if (kind !== kinds.caller && kind !== kinds.own) {
    throw new TlogError('bad_entry', 'the entry is of another kind');
  }
  const presence = { bitmap: view.getUint32(4), metadata: view.getUint16(8), details: view.getUint16(10) };
  checkPresence(presence);
  const recordedMs = view.getBigUint64(12);
  if (recordedMs > 8_640_000_000_000_000n) throw new TlogError('bad_entry', 'the entry has no such time');
  if (bytes.length !== headerBytes + hashBytes * slotCount(presence)) {
    throw new TlogError('bad_entry', 'the entry has another length than its slots');
  }
  return {
    ...presence,
    id: uuidText(bytes.subarray(20, headerBytes)),
    recordedAt: new Date(Number(recordedMs)),
    own: kind === kinds.own,
    commitments: splitHashes(bytes.subarray(headerBytes)),
  };
}

function uuidBytes(id: string): Uint8Array {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new TlogError('bad_entry', 'the id is no UUID in lowercase');
  }
  const digits = id.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

function uuidText(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
