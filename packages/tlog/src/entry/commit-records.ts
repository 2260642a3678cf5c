import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import { saltBytes } from './commitment.ts';
import { rebuildEntries } from './rebuild-entries.ts';
import type { LoggedRecord } from './record.ts';

/**
 * The leaf hashes of whole records, one after the other, 32 bytes each.
 *
 * `seeds` holds 16 secret random bytes for each record, in their order. Errors: `bad_argument` for another number
 * of them; those of `rebuildEntry` for the first record that cannot be committed to.
 */
export function commitRecords(records: readonly LoggedRecord[], seeds: Uint8Array): Uint8Array {
  if (seeds.length !== records.length * saltBytes) {
    throw new TlogError('bad_argument', `each record has a seed of ${saltBytes} bytes`);
  }
  const leaves = new Uint8Array(records.length * hashBytes);
  const disclosures = records.map((record, at) => {
    const seed = seeds.subarray(at * saltBytes, (at + 1) * saltBytes);
    return { record, opening: { seed } };
  });
  for (const [at, rebuilt] of rebuildEntries(disclosures).entries()) {
    if (rebuilt instanceof TlogError) throw rebuilt;
    leaves.set(rebuilt.leaf, at * hashBytes);
  }
  return leaves;
}
