import { canonicalJson } from '../canonical-json.ts';
import type { RebuiltSlot } from './align-slots.ts';
import type { Json, LoggedRecord } from './record.ts';

/** What the commitment to an erased record's rest covers. */
export function restValue(record: LoggedRecord, slots: readonly RebuiltSlot[]): Uint8Array {
  return canonicalJson(restOf(record, slots));
}

/** The names of what was erased, and what the record shows in the slots of which something was. */
export function restOf({ erased = [] }: LoggedRecord, slots: readonly RebuiltSlot[]): Json {
  const shown = slots.flatMap((slot) => (slot.state === 'replaced' && slot.shown ? [slot.shown] : []));
  const values: Record<string, Json> = {};
  for (const { name, key, content } of shown) if (key === undefined) values[name] = content;
  for (const root of ['metadata', 'details']) {
    const keys = shown.filter(({ name }) => name === root);
    if (keys.length > 0) values[root] = Object.fromEntries(keys.map(({ key, content }) => [key, content]));
  }
  return { erased, values };
}
