import type { Plan, PlanRedactInput } from '@annals/contract';
import { sql } from 'kysely';
import { resolveFilter, seesPersonal } from '../activity/resolve-filter.ts';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { createPlan } from '../plan/create-plan.ts';
import type { CountOf } from '../plan/tally.ts';
import { hasField } from './redact-fields.ts';
import { type Redaction, type RedactRequest, readRedactRequest } from './redact-request.ts';
import { sampleSize } from './survey.ts';

/** Activities a second that a run changes at least. */
const speed = 10_000;

/**
 * What erasing chosen fields of the records that a filter selects would change. Nothing is changed.
 *
 * Counts  only records that have a value in any of the fields; Annals' own only when the filter names actions.
 * Errors  `invalid_input` at `fields.<index>` for what is no field; those of a filter.
 */
export async function planRedact({ ctx, input }: Verb<PlanRedactInput>): Promise<Plan> {
  const request: RedactRequest = {
    filter: resolveFilter(ctx, input),
    fields: input.fields,
    personal: seesPersonal(ctx),
  };
  const found = await ctx.db.transaction(
    ctx.tenantId,
    async (tx) => {
      const redaction = readRedactRequest(tx, request);
      return {
        ...(await count(tx, redaction)),
        byMonth: await countByMonth(tx, redaction),
        sampleIds: await sample(tx, redaction),
      };
    },
    { snapshot: true },
  );
  return createPlan(ctx, {
    kind: 'redact',
    request,
    summary: {
      ...found,
      confirm: ctx.tenantId,
      byPolicy: [],
      partitionsDropped: [],
      identifiers: [],
      estimatedSeconds: Math.ceil(found.activities / speed),
    },
  });
}

/** How many records would change. */
export async function countRedacted(tx: Tx, request: RedactRequest): Promise<number> {
  return (await count(tx, readRedactRequest(tx, request))).activities;
}

async function count(
  tx: Tx,
  { fields, where }: Redaction,
): Promise<{ activities: number; byField: CountOf[] }> {
  const [row] = await tx.query(sql<{ counts: number[] }>`
    select array[count(*), ${sql.join(fields.map((field) => sql`count(*) filter (where ${hasField(field)})`))}]::float8[]
      as counts
    from annals.activity where ${where}`);
  const [activities = 0, ...counts] = row?.counts ?? [];
  return { activities, byField: fields.map(({ name }, at) => ({ name, count: counts[at] ?? 0 })) };
}

async function countByMonth(tx: Tx, { where }: Redaction): Promise<CountOf[]> {
  return tx.query(sql<CountOf>`
    select to_char(occurred_at at time zone 'UTC', 'YYYY-MM') as name, count(*)::float8 as count
    from annals.activity where ${where} group by 1 order by 1`);
}

async function sample(tx: Tx, { where }: Redaction): Promise<string[]> {
  const rows = await tx.query(sql<{ id: string }>`
    select id from annals.activity where ${where} order by occurred_at, id limit ${sampleSize}`);
  return rows.map(({ id }) => id);
}
