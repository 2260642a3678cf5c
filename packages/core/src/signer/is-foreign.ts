import { sql } from 'kysely';
import type { Services } from '../context.ts';
import { publicKeysOf } from './last-checkpoint.ts';
import { publicKeysIn, type SignerKeys } from './note-signer.ts';

/** Whether the database holds checkpoints, but none of these keys signed the one that was looked at. */
export async function isForeign(
  { db }: Pick<Services, 'db'>,
  keys: Pick<SignerKeys, 'active' | 'retired'>,
): Promise<boolean> {
  const [row] = await db.query(sql<{ vkeys: string[] | null }>`select annals.find_verifier_keys() as vkeys`);
  if (!row?.vkeys) return false;
  const own = publicKeysIn(keys);
  return !publicKeysOf(row.vkeys).some((key) => own.some((each) => Buffer.compare(each, key) === 0));
}
