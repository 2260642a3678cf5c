import type { Job, Plan, RetentionPolicy } from '@annals/contract';
import {
  decodeOpenings,
  type ErasureItem,
  type LoggedRecord,
  type Opening,
  type PurgeItem,
  rebuildEntry,
} from '@annals/tlog';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { toActivity } from '../activity/row.ts';
import type { Context } from '../context.ts';
import { getJob } from '../job/get-job.ts';
import { runJob } from '../job/run-job.ts';
import { applyAnonymize } from '../privacy/apply-anonymize.ts';
import { applyRedact } from '../privacy/apply-redact.ts';
import { type LockedRow, lockRows } from '../privacy/examine.ts';
import { planAnonymize } from '../privacy/plan-anonymize.ts';
import { planRedact } from '../privacy/plan-redact.ts';
import { applyRetention } from '../retention/apply-retention.ts';
import { planRetention } from '../retention/plan-retention.ts';
import { setPolicies } from '../retention/set-policies.ts';
import { ManifestEntity } from './entity.ts';
import { listItems } from './list-items.ts';

/** For tests: plan, apply and run to the end. */
export async function anonymizePerson(
  ctx: Context,
  { id, mode = 'anonymize' }: { readonly id: string; readonly mode?: 'anonymize' | 'pseudonymize' },
): Promise<Job> {
  const plan = await planAnonymize({
    ctx,
    input: { ids: [id], identifiers: [], learn: true, except: [], mode },
  });
  return finish(ctx, plan, applyAnonymize);
}

export async function redactFields(ctx: Context, input: { query?: string; fields: string[] }): Promise<Job> {
  return finish(ctx, await planRedact({ ctx, input }), applyRedact);
}

export async function purgeBy(ctx: Context, policies: readonly RetentionPolicy[]): Promise<Job> {
  await setPolicies({ ctx, input: { policies: [...policies] } });
  return finish(ctx, await planRetention({ ctx }), applyRetention);
}

async function finish(ctx: Context, { id: planId }: Plan, apply: typeof applyRedact): Promise<Job> {
  const { id } = await apply({ ctx, input: { planId, driftMax: 0 } });
  expect(await runJob(ctx, { tenantId: ctx.tenantId, jobId: id })).toBe('ended');
  const job = await getJob({ ctx, input: { id } });
  expect(job).toMatchObject({ status: 'completed' });
  return job;
}

export interface Survivor {
  readonly record: LoggedRecord;
  readonly opening: Opening;
  readonly batchId: string;
  readonly position: number;
}

/** For tests: every record that is there, with what opens its entry. */
export async function survivors(ctx: Context): Promise<Survivor[]> {
  const rows = await ctx.db.transaction(
    ctx.tenantId,
    async (tx) => {
      const keys = await tx.query(sql<{ at: number; id: string }>`
        select extract(epoch from occurred_at)::float8 * 1000 as at, id from annals.activity
        where tenant_id = ${tx.tenantId} order by occurred_at, id`);
      return lockRows(tx, keys);
    },
    { role: 'custodian' },
  );
  return rows.map(toSurvivor);
}

function toSurvivor(row: LockedRow): Survivor {
  const record = { ...toActivity(row, { personal: true }), own: row.own };
  const opening = row.seed ? { seed: row.seed } : { openings: decodeOpenings(row.openings as Buffer) };
  return { record, opening, batchId: row.batch_id, position: row.position };
}

/** For tests: the leaf hash committed for each activity, by `<batch>/<position>`, of batches not sequenced yet. */
export async function committedLeaves(ctx: Context): Promise<Map<string, Buffer>> {
  const batches = await ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.query(sql<{ id: string; size: number; leaves: Buffer }>`
      select id, size, leaves from annals.batch where tenant_id = ${tx.tenantId} and leaves is not null`),
  );
  return new Map(
    batches.flatMap(({ id, size, leaves }) =>
      Array.from({ length: size }, (_, at): [string, Buffer] => [
        `${id}/${at}`,
        leaves.subarray(32 * at, 32 * (at + 1)),
      ]),
    ),
  );
}

/** For tests: what the tenant's manifests list, sealed ones first; of an index the latest item. */
export async function listed(ctx: Context) {
  const erased = new Map<number, ErasureItem>();
  const purged: PurgeItem[] = [];
  await ctx.db.transaction(ctx.tenantId, async (tx) => {
    const manifests = await tx.em.find(ManifestEntity, {}, { orderBy: { openedAt: 'asc', id: 'asc' } });
    for (const manifest of manifests) {
      for await (const items of listItems(tx, manifest)) {
        for (const item of items) {
          if ('start' in item) purged.push(item);
          else erased.set(item.index, item);
        }
      }
    }
  });
  return { erased, purged };
}

/**
 * For tests: every record that is there rebuilds to the leaf committed for it, and every other is purged; the
 * newest item of each says exactly what was erased of it and what it shows. All must be sequenced.
 */
export async function expectAccounted(ctx: Context, committed: ReadonlyMap<string, Buffer>): Promise<void> {
  const first = new Map(
    (
      await ctx.db.transaction(ctx.tenantId, (tx) =>
        tx.query(sql<{ id: string; first: number }>`
          select id, first_index::float8 as first from annals.batch where tenant_id = ${tx.tenantId}`),
      )
    ).map(({ id, first }) => [id, first]),
  );
  const { erased, purged } = await listed(ctx);
  const there = new Set<number>();
  for (const { record, opening, batchId, position } of await survivors(ctx)) {
    const index = (first.get(batchId) ?? Number.NaN) + position;
    there.add(index);
    const entry = rebuildEntry(record, opening);
    expect(Buffer.from(entry.leaf)).toEqual(committed.get(`${batchId}/${position}`));
    const item = erased.get(index);
    expect(record.erased === undefined).toBe(item === undefined);
    expect('seed' in opening).toBe(item === undefined);
    if (!item) continue;
    expect({ slots: Buffer.from(item.slots), rest: Buffer.from(item.rest) }).toEqual({
      slots: Buffer.from(entry.erased?.slots ?? []),
      rest: Buffer.from(entry.erased?.rest ?? []),
    });
    expect(item.slotCount).toBe(entry.slots.length);
  }
  for (const [place] of committed) {
    const [batchId = '', position = ''] = place.split('/');
    const index = (first.get(batchId) ?? Number.NaN) + Number(position);
    const isPurged = purged.some(({ start, end }) => start <= index && index < end);
    expect(isPurged).toBe(!there.has(index));
  }
}
