export { type RebuiltSlot } from './align-slots.ts';
export { commitRecords } from './commit-records.ts';
export { saltBytes } from './commitment.ts';
export {
  decodeEntry,
  type Entry,
  type EntryHeader,
  encodeEntry,
  type SlotPresence,
  slotNumbers,
} from './entry.ts';
export { type ErasedRecord, eraseMany } from './erase-many.ts';
export { type Erased, type Erasing, eraseSlots } from './erase-slots.ts';
export { type ErasureItem, hashItem, type Manifest, manifestRoot, type PurgeItem } from './manifest.ts';
export {
  decodeOpenings,
  encodeOpenings,
  type OpeningSlot,
  type Openings,
  type SlotState,
} from './openings.ts';
export { type RebuiltLeaf, rebuildEntries } from './rebuild-entries.ts';
export {
  type ErasedSlots,
  type Opening,
  openingsOf,
  type RebuiltEntry,
  rebuildEntry,
} from './rebuild-entry.ts';
export type { Json, JsonMap, LoggedRecord } from './record.ts';
export { fixedSlots, type Slot, slotsOf, slotValue } from './slots.ts';
export type { Disclosure } from './stage-entry.ts';
