import type { ErasureItem, Manifest, PurgeItem } from '@annals/tlog';
import { type RawBuilder, sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { ManifestKind } from './entity.ts';

export interface ListedManifest {
  readonly id: string;
  readonly kind: ManifestKind;
}

/**
 * The items of a manifest as they are hashed and shown, in the order of epoch and index, some thousands at a
 * time: what was purged as ranges, adjacent ones joined. Items whose batch is not sequenced yet are left out;
 * `isSigned` tells whether there are any.
 */
export async function* listItems(tx: Tx, manifest: ListedManifest): AsyncGenerator<Manifest['items']> {
  const cursor = sql.id(`annals_items_${manifest.id}`);
  const query = manifest.kind === 'erasure' ? erasureItems(tx, manifest.id) : purgeItems(tx, manifest.id);
  await tx.query(sql`declare ${cursor} no scroll cursor for ${query}`);
  for (;;) {
    const rows = await tx.query<ErasureItem | PurgeItem>(sql`fetch ${sql.lit(pageSize)} from ${cursor}`);
    if (rows.length === 0) break;
    yield rows as Manifest['items'];
  }
  await tx.query(sql`close ${cursor}`);
}

const pageSize = 5_000;

/**
 * Whether the newest signed checkpoint of its epoch covers each batch of the manifest's items. Only then do their
 * indexes stand for good: what was not signed gets others where a restore makes a new epoch necessary.
 */
export async function isSigned(tx: Tx, { id, kind }: ListedManifest): Promise<boolean> {
  const table = sql.table(kind === 'erasure' ? 'annals.erasure_item' : 'annals.purge_item');
  return !(await isAnyUnsigned(
    tx,
    sql`exists (
      select from ${table} i where i.tenant_id = b.tenant_id and i.manifest_id = ${id} and i.batch_id = b.id)`,
  ));
}

/**
 * Whether a manifest of this kind was sealed by a record that no signed checkpoint covers yet: another one, sealed
 * next, could come before it in the log.
 */
export async function isSealUnsigned(tx: Tx, kind: ManifestKind): Promise<boolean> {
  return isAnyUnsigned(
    tx,
    sql`exists (
      select from annals.activity a
      where a.tenant_id = b.tenant_id and a.batch_id = b.id
        and a.occurred_at between b.first_occurred_at and b.last_occurred_at
        and a.own and a.action = 'annals.manifest_sealed' and a.metadata->>'kind' = ${kind})`,
  );
}

/** Whether a condition holds for one of the batches `b` that no signed checkpoint covers. */
async function isAnyUnsigned(tx: Tx, condition: RawBuilder<unknown>): Promise<boolean> {
  const [row] = await tx.query(sql<{ found: boolean }>`
    select exists (
      select from annals.batch b where b.tenant_id = ${tx.tenantId} and b.first_index is null and ${condition}
    ) or exists (
      select from (
        select l.epoch, coalesce((
          select max(c.size) from annals.checkpoint c where c.tenant_id = l.tenant_id and c.epoch = l.epoch), 0) as size
        from annals.log l where l.tenant_id = ${tx.tenantId}
      ) as signed
      join annals.batch b on b.tenant_id = ${tx.tenantId} and b.epoch = signed.epoch and b.first_index >= signed.size
      where ${condition}
    ) as found`);
  return row?.found === true;
}

function erasureItems(tx: Tx, manifestId: string): RawBuilder<ErasureItem> {
  return sql`
    select b.epoch, (b.first_index + i.position)::float8 as index, i.slot_count as "slotCount", i.slots, i.rest
    from annals.erasure_item i join annals.batch b on b.tenant_id = i.tenant_id and b.id = i.batch_id
    where i.tenant_id = ${tx.tenantId} and i.manifest_id = ${manifestId} and b.first_index is not null
    order by b.epoch, b.first_index + i.position`;
}

function purgeItems(tx: Tx, manifestId: string): RawBuilder<PurgeItem> {
  return sql`
    select epoch, lower(range)::float8 as start, upper(range)::float8 as end
    from (
      select epoch, unnest(range_agg(int8range(first_index + lower(part), first_index + upper(part)))) as range
      from (
        select b.epoch, b.first_index, unnest(i.positions) as part
        from annals.purge_item i join annals.batch b on b.tenant_id = i.tenant_id and b.id = i.batch_id
        where i.tenant_id = ${tx.tenantId} and i.manifest_id = ${manifestId} and b.first_index is not null
      ) as parts
      group by epoch
    ) as ranges
    order by epoch, lower(range)`;
}
