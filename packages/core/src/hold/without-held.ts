import type { Tx } from '../database/database.ts';
import { type Key, lockRows } from '../privacy/examine.ts';
import type { ActiveHolds } from './active-holds.ts';

interface WithoutHeld {
  readonly free: readonly Key[];
  readonly held: number;
}

/** Which of these records no hold matches. Where there are holds, nobody else changes any until the transaction ends. */
export async function withoutHeld(tx: Tx, holds: ActiveHolds, keys: readonly Key[]): Promise<WithoutHeld> {
  if (holds.all.length === 0) return { free: keys, held: 0 };
  const held = await holds.among(await lockRows(tx, keys));
  return { free: keys.filter(({ id }) => !held.has(id)), held: held.size };
}
