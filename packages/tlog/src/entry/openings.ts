import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import { saltBytes } from './commitment.ts';
import { checkPresence, type SlotPresence, slotCount, writeUint16 } from './entry.ts';

/**
 * How a slot is accounted for. `open`: its value is in the record. `gone`: erased, and nothing is in its place.
 * `replaced`: erased, and the record shows what is left of it or a pseudonym. `withheld`: the reader may not see
 * the value.
 */
export const slotStates = ['open', 'gone', 'replaced', 'withheld'] as const;
export type SlotState = (typeof slotStates)[number];
/** As they are encoded. */
export const stateNumbers = { open: 0, gone: 1, replaced: 2, withheld: 3 } as const satisfies Record<
  SlotState,
  number
>;

/** With a salt the slot's commitment is computed from the record; without, it stands here. */
export type OpeningSlot =
  | { readonly state: 'open'; readonly salt: Uint8Array }
  | { readonly state: Exclude<SlotState, 'open'>; readonly commitment: Uint8Array };

/** What leads from a record, parts of which are erased or withheld, to its entry. */
export interface Openings extends SlotPresence {
  /** One for each slot that is there, in the order of their numbers. */
  readonly slots: readonly OpeningSlot[];
  /**
   * Salt of the commitment to what the erased slots show. Absent where there was no erasure, and where the reader
   * may not see all that they show.
   */
  readonly restSalt?: Uint8Array | undefined;
}

const version = 1;
export const openingsHeaderBytes = 10;

/**
 * Refuse openings that belong to no entry.
 *
 * Errors  `bad_entry` for slots that no record has; `bad_opening` for another number of slots than there are, a
 *         salt or commitment of another length, or a core that is not open, since it is never erased nor withheld.
 */
export function checkOpenings(openings: Openings): void {
  checkPresence(openings);
  const { slots, restSalt } = openings;
  if (slots.length !== slotCount(openings)) throw new TlogError('bad_opening', 'one is needed for each slot');
  for (const slot of slots) {
    const right =
      slot.state === 'open' ? slot.salt.length === saltBytes : slot.commitment.length === hashBytes;
    if (!right) throw new TlogError('bad_opening', 'a salt has 16 bytes, and a commitment 32');
  }
  if (slots[0]?.state !== 'open') throw new TlogError('bad_opening', 'the core is always open');
  if (restSalt && restSalt.length !== saltBytes) throw new TlogError('bad_opening', 'a salt has 16 bytes');
}

/** Whether something of the slot's value is lost for everybody. */
export function isErased(state: SlotState): boolean {
  return state === 'gone' || state === 'replaced';
}

/** What encoded openings begin with, and room for what follows. */
export function openingsHeader(openings: Omit<Openings, 'slots'>, following: number): Uint8Array {
  const { bitmap, metadata, details, restSalt } = openings;
  const bytes = new Uint8Array(openingsHeaderBytes + following);
  bytes[0] = version;
  bytes[1] = restSalt ? 1 : 0;
  writeUint16(bytes, 2, bitmap >>> 16);
  writeUint16(bytes, 4, bitmap & 0xffff);
  writeUint16(bytes, 6, metadata);
  writeUint16(bytes, 8, details);
  return bytes;
}

/** The bytes of `docs/format.md`. Errors: those of `checkOpenings`. */
export function encodeOpenings(openings: Openings): Uint8Array {
  checkOpenings(openings);
  const { slots, restSalt } = openings;
  const parts = slots.map((slot) => (slot.state === 'open' ? slot.salt : slot.commitment));
  const length = parts.reduce((sum, part) => sum + 1 + part.length, restSalt?.length ?? 0);
  const bytes = openingsHeader(openings, length);
  let at = openingsHeaderBytes;
  for (const [index, slot] of slots.entries()) {
    const part = parts[index] as Uint8Array;
    bytes[at] = stateNumbers[slot.state];
    bytes.set(part, at + 1);
    at += 1 + part.length;
  }
  if (restSalt) bytes.set(restSalt, at);
  return bytes;
}

/**
 * The openings of their bytes, none of which they hold on to.
 *
 * Errors  `bad_opening` or `bad_entry` for whatever `encodeOpenings` would not have written.
 */
export function decodeOpenings(bytes: Uint8Array): Openings {
  if (bytes.length < openingsHeaderBytes || bytes[0] !== version || (bytes[1] ?? 2) > 1) {
    throw new TlogError('bad_opening', 'the openings are of another version, or end early');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const presence = { bitmap: view.getUint32(2), metadata: view.getUint16(6), details: view.getUint16(8) };
  checkPresence(presence);
  const slots: OpeningSlot[] = [];
  let at = openingsHeaderBytes;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new TlogError('bad_opening', 'the openings end early');
    at += length;
    // Not `slice`: what databases hand over for bytes copies nothing with it.
    return new Uint8Array(bytes.subarray(at - length, at));
  };
  for (let left = slotCount(presence); left > 0; left -= 1) {
    const state = slotStates[bytes[at] ?? slotStates.length];
    if (state === undefined) throw new TlogError('bad_opening', 'a slot has no such state, or none');
    at += 1;
    slots.push(state === 'open' ? { state, salt: take(saltBytes) } : { state, commitment: take(hashBytes) });
  }
  const restSalt = bytes[1] === 1 ? take(saltBytes) : undefined;
  if (at !== bytes.length) throw new TlogError('bad_opening', 'something follows the openings');
  const openings: Openings = { ...presence, slots, ...(restSalt && { restSalt }) };
  checkOpenings(openings);
  return openings;
}
