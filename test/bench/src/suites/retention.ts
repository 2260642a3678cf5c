import { applyRetention, getJob, planRetention, runJob, setPolicies } from '@annals/core';
import { Client } from 'pg';
import { type Bench, openBench } from '../open-bench.ts';
import { type Round, type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

const tenantId = `retention-${Date.now()}`;
const batchSize = 100;
/** What goes record by record, and what one DELETE removes. */
const walkedMax = 20_000;

interface Month {
  /** As 202001. */
  readonly name: string;
  readonly startMs: number;
}

/** One after the other, so that each is loaded, purged and gone. */
function monthAt(round: number): Month {
  const startMs = Date.UTC(2020, round, 1);
  return { name: new Date(startMs).toISOString().slice(0, 7).replace('-', ''), startMs };
}

/**
 * Purging what has expired: a month of which nothing stays, whose partition is dropped, and one of which something
 * stays, record by record; beside one DELETE of as much. To find out what has expired takes a look at every record, by
 * the plan, its application and the run's beginning: that has a row of its own, and locks nothing.
 */
export const retention: Suite = async ({ database, records, rounds }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const ctx = bench.context(tenantId);
    const policies = [{ name: 'all', keepDays: 30, since: 'occurredAt' as const }];
    await setPolicies({ ctx, input: { policies } });
    const walked = Math.min(records, walkedMax);
    const drops: Round[] = [];
    const looks: Round[] = [];
    const walks: Round[] = [];
    for (let round = 0; round < roundsFor(records, rounds); round += 1) {
      await load(client, { ...monthAt(3 * round), records });
      const whole = await purge(bench, records);
      drops.push({ ours: whole.dropMs });
      looks.push({ ours: (records * 1_000) / whole.lookMs });
      const month = monthAt(3 * round + 1);
      await load(client, { ...month, records: walked });
      // One that no policy lets go.
      await client.query(`update annals.activity_${month.name} set action = 'annals.manifest_sealed', own = true
        where position = 0 and occurred_at = (select min(occurred_at) from annals.activity_${month.name})`);
      const rest = await purge(bench, walked - 1);
      await load(client, { ...monthAt(3 * round + 2), records: walked });
      const startMs = performance.now();
      await client.query(`delete from annals.activity where tenant_id = $1 and occurred_at >= $2`, [
        tenantId,
        new Date(monthAt(3 * round + 2).startMs),
      ]);
      walks.push({
        ours: ((walked - 1) * 1_000) / rest.runMs,
        reference: (walked * 1_000) / (performance.now() - startMs),
      });
      await client.query('delete from annals.activity where tenant_id = $1', [tenantId]);
    }
    return rowsOf(records, { drops, looks, walks });
  } finally {
    await client.end();
    await bench.close();
  }
};

/** Loading takes most of the time. */
function roundsFor(records: number, rounds: number): number {
  return records > 1_000_000 ? 1 : rounds;
}

function rowsOf(
  records: number,
  { drops, looks, walks }: { readonly [name in 'drops' | 'looks' | 'walks']: readonly Round[] },
): Row[] {
  const size = records.toLocaleString('en');
  return [
    rowOf(
      { name: `drop an expired month of ${size} records`, unit: 'ms', target: { of: 'ours', atMost: 1_000 } },
      drops,
    ),
    rowOf({ name: `look for what has expired among ${size}, without a lock`, unit: 'records/s' }, looks),
    rowOf({ name: 'purge a month record by record', unit: 'records/s', referenceName: 'one DELETE' }, walks),
  ];
}

/** Fill a month with records of one tenant, in batches that are in its log. */
async function load(client: Client, { name, startMs, records }: Month & { records: number }): Promise<void> {
  await client.query('select annals.create_activity_partition($1)', [new Date(startMs)]);
  const stepMs = Math.min(1_000, (27 * 86_400_000) / records);
  await client.query(
    `insert into annals.activity_${name} (tenant_id, occurred_at, id, batch_id, position, recorded_at, own,
      action, kind, severity, outcome, visibility, actor_type, actor_id, target_type, target_id, message, tags, metadata)
    select $1, to_timestamp(ms / 1000.0), encode(substring(int8send(ms) from 3) || '\\x7000'::bytea || '\\x80'::bytea
        || substring(int8send(n) from 2), 'hex')::uuid,
      encode(substring(int8send($2::bigint) from 3) || '\\x7000'::bytea || '\\x80'::bytea
        || substring(int8send(n / ${batchSize}) from 2), 'hex')::uuid,
      n % ${batchSize}, to_timestamp(ms / 1000.0), false, 'invoice.viewed', 'activity', 'info', 'success', 'internal',
      'user', 'usr_' || n % 5000, 'invoice', 'inv_' || n % 50000, 'A message of some length about an invoice', '{}',
      jsonb_build_object('plan', 'pro', 'amountCents', n, 'note', repeat(md5(n::text), 8))
    from (select n, $2::bigint + floor(n * $3::float8)::bigint as ms from generate_series(0, $4::bigint - 1) as n) as r`,
    [tenantId, startMs, stepMs, records],
  );
  await client.query(
    `insert into annals.batch (tenant_id, id, size, recorded_at, first_occurred_at, last_occurred_at, root, epoch, first_index)
    select tenant_id, batch_id, count(*), min(recorded_at), min(occurred_at), max(occurred_at), '\\x', 1,
      (select coalesce(max(size), 0) from annals.log where tenant_id = $1) + sum(count(*)) over (order by batch_id) - count(*)
    from annals.activity_${name} group by tenant_id, batch_id`,
    [tenantId],
  );
  await client.query(
    `insert into annals.log (tenant_id, epoch, size, root, edge, sequenced_at)
    select $1, 1, max(first_index + size), '\\x', '{}', now() from annals.batch where tenant_id = $1 and epoch = 1
    on conflict (tenant_id, epoch) do update set size = excluded.size`,
    [tenantId],
  );
  await client.query(`vacuum (analyze) annals.activity_${name}`);
  await client.query('vacuum (analyze) annals.batch');
  await client.query('checkpoint');
}

interface Purged {
  /** The plan: one look at all records. */
  readonly lookMs: number;
  readonly runMs: number;
  /** Of the transaction that drops. */
  readonly dropMs: number;
}

async function purge(bench: Bench, expected: number): Promise<Purged> {
  const ctx = bench.context(tenantId);
  const startMs = performance.now();
  const plan = await planRetention({ ctx });
  const lookMs = performance.now() - startMs;
  if (plan.activities !== expected) throw new Error(`${plan.activities} have expired`);
  const { id } = await applyRetention({ ctx, input: { planId: plan.id, driftMax: 0 } });
  let dropMs = 0;
  const transaction: typeof bench.services.db.transaction = async (...[tenant, work, options]) => {
    let drops = false;
    const begunMs = performance.now();
    const result = await bench.services.db.transaction(
      tenant,
      (tx) => {
        const query: typeof tx.query = (statement) => {
          drops ||= statement.compile(tx.em.getKysely()).sql.includes('drop_activity_partition');
          return tx.query(statement);
        };
        return work({ ...tx, query });
      },
      options,
    );
    if (drops) dropMs += performance.now() - begunMs;
    return result;
  };
  const services = { ...bench.services, db: { ...bench.services.db, transaction } };
  const runStartMs = performance.now();
  await runJob(services, { tenantId, jobId: id });
  const runMs = performance.now() - runStartMs;
  const { status, result } = await getJob({ ctx, input: { id } });
  if (status !== 'completed' || result?.changed !== expected) throw new Error(`the purge is ${status}`);
  return { lookMs, runMs, dropMs };
}
