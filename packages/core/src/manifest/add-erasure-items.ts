import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';

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
  await tx.query(sql`
    insert into annals.erasure_item (tenant_id, manifest_id, batch_id, position, slot_count, slots, rest)
    select ${tx.tenantId}, ${manifestId}, *
    from unnest(
      ${records.map(({ batchId }) => batchId)}::uuid[],
      ${records.map(({ position }) => position)}::int[],
      ${records.map(({ slotCount }) => slotCount)}::int[],
      ${records.map(({ slots }) => Buffer.from(slots))}::bytea[],
      ${records.map(({ rest }) => Buffer.from(rest))}::bytea[])
    on conflict (tenant_id, manifest_id, batch_id, position) do update
      set slots = excluded.slots, rest = excluded.rest`);
}
