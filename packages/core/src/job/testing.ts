import { Client } from 'pg';
import { appendActivities } from '../activity/append.ts';
import type { Context } from '../context.ts';
import type { TestCore } from '../testing.ts';

/** For tests of jobs: what a tenant holds, seen past every role and filter. */
export interface Inspection {
  /** Each activity as one text, with all its columns, in the order of time. */
  texts(tenantId: string): Promise<string[]>;
  /** Each activity by its columns, without those that differ from run to run; Annals' own records left out. */
  rows(tenantId: string): Promise<Record<string, unknown>[]>;
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export async function inspect(core: TestCore): Promise<Inspection> {
  const client = new Client({ connectionString: core.url });
  await client.connect();
  const query = async <Row extends object>(text: string, values: unknown[] = []) =>
    (await client.query<Row>(text, values)).rows;
  return {
    query,
    texts: async (tenantId) => {
      const rows = await query<{ text: string }>(
        `select a::text as text from annals.activity a where tenant_id = $1 order by occurred_at, id`,
        [tenantId],
      );
      return rows.map(({ text }) => text);
    },
    rows: async (tenantId) => {
      const rows = await query<{ row: Record<string, unknown> }>(
        `select to_jsonb(a) - '{tenant_id,batch_id,position,recorded_at,seed,openings}'::text[] as row
          from annals.activity a
          where tenant_id = $1 and action !~ '^(annals|erasure|retention)[.]' order by occurred_at, id`,
        [tenantId],
      );
      return rows.map(({ row }) => row);
    },
    close: () => client.end(),
  };
}

/** Append activities, all of which must be stored. */
export async function seed(ctx: Context, activities: readonly unknown[]): Promise<void> {
  for (let at = 0; at < activities.length; at += 1_000) {
    const result = await appendActivities({ ctx, input: { activities: activities.slice(at, at + 1_000) } });
    const refused = result.results.find(({ status }) => status !== 'stored');
    if (refused) throw new Error(`not stored: ${JSON.stringify(refused)}`);
  }
}
