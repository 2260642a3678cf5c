import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { packBytes } from '../database/pack-bytes.ts';

/** What was ever erased of one activity, and what it shows instead. */
export interface ErasedRecord {
  readonly batchId: string;
  readonly position: number;
  readonly slotCount: number;
  /** A bit for each slot. */
  readonly slots: Uint8Array;
  readonly rest: Uint8Array;
}

/** List erased records in an open manifest, which the transaction holds; the newest item of a record counts. */
export async function addErasureItems(
  tx: Tx,
  { manifestId, records }: { readonly manifestId: string; readonly records: readonly ErasedRecord[] },
): Promise<void> {
  const place = sql<number>`(n - 1)::int`;
  const slots = packBytes(records.map((record) => record.slots));
  const rests = packBytes(records.map((record) => record.rest));
  await tx.query(sql`
    insert into annals.erasure_item (tenant_id, manifest_id, batch_id, position, slot_count, slots, rest)
    select ${tx.tenantId}, ${manifestId}, batch_id, position, slot_count, ${slots.pick(place)}, ${rests.pick(place)}
    from unnest(
      ${records.map(({ batchId }) => batchId)}::uuid[],
      ${records.map(({ position }) => position)}::int[],
      ${records.map(({ slotCount }) => slotCount)}::int[]
    ) with ordinality as record (batch_id, position, slot_count, n)
    on conflict (tenant_id, manifest_id, batch_id, position) do update
      set slots = excluded.slots, rest = excluded.rest`);
}
