import {
  decodeEntry,
  fixedSlots,
  type LoggedRecord,
  type Opening,
  type Openings,
  openingsOf,
  rebuildEntry,
  slotNumbers,
} from '@annals/tlog';
import { fieldColumns } from '../activity/columns.ts';

const personalSlots = new Set(
  fieldColumns.filter(({ personal }) => personal).map(({ path }) => fixedSlots.indexOf(path.join('.'))),
);

/**
 * The openings of a record for a reader who sees its personal fields masked: commitments in place of their salts,
 * with which every guess at a value could be tried. The salt of what an erasure left goes too, for the same reason.
 *
 * Errors  TlogError `record_mismatch` for a record that is not the one that its opening belongs to.
 */
export function withholdPersonal(record: LoggedRecord, opening: Opening): Openings {
  const { restSalt: _, ...whole } = 'seed' in opening ? openingsOf(record, opening.seed) : opening.openings;
  const numbers = slotNumbers(whole);
  const { commitments } = decodeEntry(rebuildEntry(record, opening).bytes);
  return {
    ...whole,
    slots: whole.slots.map((slot, at) => {
      if (slot.state === 'gone' || !personalSlots.has(numbers[at] as number)) return slot;
      return { state: 'withheld', commitment: commitments[at] as Uint8Array };
    }),
  };
}
