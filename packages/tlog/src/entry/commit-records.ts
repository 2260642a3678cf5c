import { concatBytes } from '../bytes.ts';
import { saltBytes } from './commitment.ts';
import { rebuildEntry } from './rebuild-entry.ts';
import type { LoggedRecord } from './record.ts';

/**
 * The leaf hashes of whole records, one after the other, 32 bytes each.
 *
 * `seeds` holds 16 secret random bytes for each record, in their order.
 */
export function commitRecords(records: readonly LoggedRecord[], seeds: Uint8Array): Uint8Array {
  return concatBytes(
    records.map((record, at) => {
      const seed = seeds.subarray(at * saltBytes, (at + 1) * saltBytes);
      return rebuildEntry(record, { seed }).leaf;
    }),
  );
}
