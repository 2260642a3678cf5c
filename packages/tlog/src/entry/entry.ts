import { TlogError } from '../tlog-error.ts';
import { hashBytes, splitHashes } from '../tree/hash.ts';
import { firstKeySlot, fixedSlots, type Slot, slotKeysMax } from './slots.ts';

/** The version of the format that `encodeEntry` writes, and of the table of slots. */
const version = 1;
const schema = 1;
const kinds = { caller: 1, own: 2 } as const;
/** Bytes of an entry before its commitments. */
export const headerBytes = 36;
const idAt = 20;
/** The last moment of ECMAScript. */
const timeMsMax = 8_640_000_000_000_000;

/** Slots that an entry has at most. */
export const slotCountMax = fixedSlots.length + 2 * slotKeysMax;

/** Which slots of an entry have a value. */
export interface SlotPresence {
  /** Bit n says that the fixed slot n is there. */
  readonly bitmap: number;
  /** Keys of metadata and of details. */
  readonly metadata: number;
  readonly details: number;
}

export interface EntryHeader extends SlotPresence {
  /** UUID, lowercase. */
  readonly id: string;
  readonly recordedAt: Date;
  /** Whether Annals itself wrote the activity. */
  readonly own: boolean;
}

/** What a log commits to for one activity (docs/format.md). */
export interface Entry extends EntryHeader {
  /** One of 32 bytes for each slot that is there, in the order of their numbers. */
  readonly commitments: readonly Uint8Array[];
}

/** Which slots a record has, from `slotsOf`. */
export function presenceOf(slots: readonly Slot[]): SlotPresence {
  let [bitmap, metadata, details] = [0, 0, 0];
  // By name: the numbers of too many keys of metadata, which are refused, run into those of details.
  for (const { name, number } of slots) {
    if (name === 'metadata') metadata += 1;
    else if (name === 'details') details += 1;
    else bitmap |= 1 << number;
  }
  return { bitmap, metadata, details };
}

export function slotCount({ bitmap, metadata, details }: SlotPresence): number {
  let count = metadata + details;
  for (let bits = bitmap; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}

/** The numbers of the slots that are there, in order. */
export function slotNumbers({ bitmap, metadata, details }: SlotPresence): number[] {
  const numbers: number[] = [];
  for (let number = 0; number < fixedSlots.length; number += 1) {
    if ((bitmap >>> number) & 1) numbers.push(number);
  }
  for (let at = 0; at < metadata; at += 1) numbers.push(firstKeySlot.metadata + at);
  for (let at = 0; at < details; at += 1) numbers.push(firstKeySlot.details + at);
  return numbers;
}

/** Refuse with `bad_entry` what no record can have. */
export function checkPresence({ bitmap, metadata, details }: SlotPresence): void {
  if (!isCount(bitmap, 2 ** fixedSlots.length - 1)) throw new TlogError('bad_entry', 'a slot is not known');
  if ((bitmap & 1) === 0) throw new TlogError('bad_entry', 'the core slot is missing');
  if (!isCount(metadata, slotKeysMax) || !isCount(details, slotKeysMax)) {
    throw new TlogError('bad_entry', `metadata and details have at most ${slotKeysMax} keys each`);
  }
}

function isCount(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

/** Errors: `bad_entry` for an id, a time, slots or commitments that no entry can have. */
export function encodeEntry(entry: Entry): Uint8Array {
  if (entry.commitments.length !== slotCount(entry)) {
    throw new TlogError('bad_entry', 'an entry has one commitment for each slot');
  }
  const bytes = new Uint8Array(headerBytes + hashBytes * entry.commitments.length);
  writeHeader(bytes, 0, entry);
  for (const [at, commitment] of entry.commitments.entries()) {
    if (commitment.length !== hashBytes) throw new TlogError('bad_entry', 'a commitment has another length');
    bytes.set(commitment, headerBytes + at * hashBytes);
  }
  return bytes;
}

/** Write what stands before the commitments. Errors: those of `encodeEntry`. */
export function writeHeader(bytes: Uint8Array, at: number, header: EntryHeader): void {
  checkPresence(header);
  const recordedMs = header.recordedAt.getTime();
  if (!isCount(recordedMs, timeMsMax)) throw new TlogError('bad_entry', 'recordedAt is no time after 1970');
  bytes[at] = version;
  bytes[at + 1] = header.own ? kinds.own : kinds.caller;
  writeUint16(bytes, at + 2, schema);
  writeUint32(bytes, at + 4, header.bitmap);
  writeUint16(bytes, at + 8, header.metadata);
  writeUint16(bytes, at + 10, header.details);
  writeUint32(bytes, at + 12, Math.floor(recordedMs / 2 ** 32));
  writeUint32(bytes, at + 16, recordedMs);
  writeUuid(bytes, at + idAt, header.id);
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** The lower 32 bits of a number. */
function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  writeUint16(bytes, at, value >>> 16);
  writeUint16(bytes, at + 2, value);
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
  const recordedMs = Number(view.getBigUint64(12));
  if (recordedMs > timeMsMax) throw new TlogError('bad_entry', 'the entry has no such time');
  if (bytes.length !== headerBytes + hashBytes * slotCount(presence)) {
    throw new TlogError('bad_entry', 'the entry has another length than its slots');
  }
  return {
    ...presence,
    id: uuidText(bytes.subarray(idAt, headerBytes)),
    recordedAt: new Date(recordedMs),
    own: kind === kinds.own,
    commitments: splitHashes(bytes.subarray(headerBytes)),
  };
}

function writeUuid(bytes: Uint8Array, at: number, id: string): void {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new TlogError('bad_entry', 'the id is no UUID in lowercase');
  }
  let to = at;
  for (let from = 0; from < id.length; from += 2) {
    if (id[from] === '-') from += 1;
    bytes[to] = (hexDigit(id.charCodeAt(from)) << 4) | hexDigit(id.charCodeAt(from + 1));
    to += 1;
  }
}

/** The value of 0 to 9 and a to f, by their character codes. */
function hexDigit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x57;
}

function uuidText(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
