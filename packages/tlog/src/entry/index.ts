export { commitRecords } from './commit-records.ts';
export { saltBytes } from './commitment.ts';
export { decodeEntry, type Entry, encodeEntry, type SlotPresence, slotNumbers } from './entry.ts';
export { type Erasing, eraseSlots } from './erase-slots.ts';
export { type ErasureItem, hashItem, type Manifest, manifestRoot, type PurgeItem } from './manifest.ts';
export {
  decodeOpenings,
  encodeOpenings,
  type OpeningSlot,
  type Openings,
  type SlotState,
} from './openings.ts';
export {
  type Opening,
  openingsOf,
  type RebuiltEntry,
  type RebuiltSlot,
  rebuildEntry,
} from './rebuild-entry.ts';
export type { Json, JsonMap, LoggedRecord } from './record.ts';
export { fixedSlots, type Slot, slotsOf } from './slots.ts';
