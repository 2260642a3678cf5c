import type { Filter, FilterInput, ListInput, Page } from '@annals/contract';
import { Filter as FilterSchema } from '@annals/contract';
import { countActivities, exportActivities, getActivity, listActivities } from '@annals/core';
import { Client } from 'pg';
import { loadedTenant, loadRecords } from '../data/load-records.ts';
import { type Bench, openBench } from '../open-bench.ts';
import { quantile, type Row, rowOf, type Target } from '../row.ts';
import type { Suite } from '../suite.ts';

const yearMs = 365 * 86_400_000;
const pageSize = 50;
const p99Max = { of: 'ours', atMost: 10 } as const;

/** A filter, and the same as a condition of the reference: plain ORDER BY, and OFFSET to get further. */
interface Case {
  readonly name: string;
  readonly filter?: FilterInput;
  readonly condition?: string;
  /** Of what an index answers; of other filters the time is told. */
  readonly target?: Target;
}

const cases: readonly Case[] = [
  { name: 'all', target: p99Max },
  ...[
    ['actor', 'actor_id', ['usr_0', 'usr_300', 'usr_4000', 'nobody']],
    ['target', 'target_id', ['invoice_0', 'invoice_3000', 'nothing']],
    ['action', 'action', ['invoice.created', 'session.rejected', 'none.done']],
    ['subject', 'subject_id', ['person_0', 'nobody']],
    ['severity', 'severity', ['info', 'warning', 'error', 'critical']],
    ['outcome', 'outcome', ['success', 'failure', 'denied', 'unknown']],
    ['kind', 'kind', ['activity', 'auth', 'api_call', 'external_call', 'system']],
    ['operation', 'operation', ['read', 'create', 'delete']],
    ['visibility', 'visibility', ['client', 'system']],
    ['actorType', 'actor_type', ['user', 'worker', 'anonymous']],
    ['targetType', 'target_type', ['invoice', 'session', 'none']],
    ['channel', 'channel', ['web', 'mobile', 'cli', 'fax']],
    ['scope', 'scope_id', ['brand-0', 'brand-45', 'none']],
  ].flatMap(([field, column, values]) =>
    (values as string[]).map((value) => ({
      name: `${field as string} ${value}`,
      filter: { [field as string]: value },
      condition: `${column as string} = '${value}'`,
      target: p99Max,
    })),
  ),
  {
    name: 'severity error or worse',
    filter: { severityAtLeast: 'error' },
    condition: `severity >= 'error'`,
    target: p99Max,
  },
  {
    name: 'action invoice.*',
    filter: { action: 'invoice.*' },
    condition: `action like 'invoice.%'`,
    target: p99Max,
  },
  {
    name: 'three actors',
    filter: { actor: ['usr_1', 'usr_300', 'usr_4000'] },
    condition: `actor_id in ('usr_1', 'usr_300', 'usr_4000')`,
    target: p99Max,
  },
  {
    name: 'actor usr_0, action session.rejected',
    filter: { actor: 'usr_0', action: 'session.rejected' },
    condition: `actor_id = 'usr_0' and action = 'session.rejected'`,
    target: p99Max,
  },
  {
    name: 'actor usr_300, outcome failure',
    filter: { actor: 'usr_300', outcome: 'failure' },
    condition: `actor_id = 'usr_300' and outcome = 'failure'`,
    target: p99Max,
  },
  {
    name: 'action none.done, outcome failure',
    filter: { action: 'none.done', outcome: 'failure' },
    condition: `action = 'none.done' and outcome = 'failure'`,
    target: p99Max,
  },
  { name: 'tag tag-0', filter: { tag: 'tag-0' }, condition: `tags && '{tag-0}'` },
  { name: 'tag none', filter: { tag: 'none' }, condition: `tags && '{none}'` },
  {
    name: 'metadata.plan pro',
    filter: { metadata: { plan: 'pro' } },
    condition: `metadata ->> 'plan' = 'pro'`,
  },
  { name: 'request id', filter: { requestId: 'req_none' }, condition: `request_id = 'req_none'` },
  {
    name: 'text "customer payment"',
    filter: { text: 'customer payment' },
    condition: `(message ilike '%customer payment%' or metadata::text ilike '%customer payment%')`,
  },
  {
    name: 'text that nothing has',
    filter: { text: 'zebra' },
    condition: `(message ilike '%zebra%' or metadata::text ilike '%zebra%')`,
  },
];

/** Pages, single activities, counts and exports, beside what one would write without thinking of it. */
export const read: Suite = async ({ database, records, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await ensureLoaded(client, { url, records });
    const setup: Setup = { bench, client, ...turns };
    return [
      ...(await firstPages(setup)),
      ...(await deepPages(setup)),
      ...(await lookups(setup)),
      ...(await exports(setup)),
    ];
  } finally {
    await client.end();
    await bench.close();
  }
};

interface Setup {
  readonly bench: Bench;
  readonly client: Client;
  readonly rounds: number;
  readonly seconds: number;
}

async function ensureLoaded(
  client: Client,
  { url, records }: { url: string; records: number },
): Promise<void> {
  const found = await client.query('select from annals.activity where tenant_id = $1 limit 1', [
    loadedTenant,
  ]);
  if (found.rowCount) return;
  await loadRecords({ url, records, startMs: Date.now() - yearMs, stepMs: yearMs / records });
}

type Call = () => Promise<unknown>;

interface Timed {
  readonly name: string;
  readonly ours: Call;
  readonly reference?: Call;
  readonly referenceName?: string;
  readonly target?: Target | undefined;
}

/** Latencies in turns: each side for a share of the round, and then p50 and p99. */
async function latencies({ rounds, seconds }: Setup, { ours, reference, ...spec }: Timed): Promise<Row[]> {
  const taken: { ours: number[]; reference?: number[] }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const both = {
      ours: await timesOf(ours, seconds),
      ...(reference && { reference: await timesOf(reference, seconds) }),
    };
    // The first warms caches and compilers.
    if (round > 0) taken.push(both);
  }
  return [0.5, 0.99].map((part) => {
    const { target, name, referenceName } = spec;
    return rowOf(
      {
        name: `${name}, p${part * 100}`,
        unit: 'ms',
        referenceName,
        ...(part === 0.99 && target && { target }),
      },
      taken.map((round) => ({
        ours: quantile(round.ours, part),
        ...(round.reference && { reference: quantile(round.reference, part) }),
      })),
    );
  });
}

const callsMin = 3;
const callsMax = 300;

async function timesOf(call: Call, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const endMs = performance.now() + (seconds * 1_000) / 10;
  while (times.length < callsMin || (performance.now() < endMs && times.length < callsMax)) {
    const startMs = performance.now();
    await call();
    times.push(performance.now() - startMs);
  }
  return times;
}

function list({ bench }: Setup, input: Partial<ListInput>): Promise<Page> {
  const ctx = bench.context(loadedTenant);
  return listActivities({ ctx, input: { order: 'newest', limit: pageSize, ...input } });
}

function plain({ client }: Setup, { condition = 'true', offset = 0 }): Promise<unknown> {
  return client.query(
    `select * from annals.activity where tenant_id = $1 and ${condition}
      order by occurred_at desc, id desc limit ${pageSize} offset ${offset}`,
    [loadedTenant],
  );
}

async function firstPages(setup: Setup): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, filter, condition, target } of cases) {
    const parsed: Filter = FilterSchema.parse(filter ?? {});
    rows.push(
      ...(await latencies(setup, {
        name: `first page, ${name}`,
        target,
        ours: () => list(setup, { filter: parsed }),
        reference: () => plain(setup, condition === undefined ? {} : { condition }),
        referenceName: 'plain ORDER BY',
      })),
    );
  }
  return rows;
}

async function deepPages(setup: Setup): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, filter, condition } of cases.slice(0, 2)) {
    const parsed = FilterSchema.parse(filter ?? {});
    const { depth, cursor } = await cursorAtDepth(setup, { filter: parsed, condition });
    const deep = await latencies(setup, {
      name: `page at depth ${depth.toLocaleString('en')}, ${name}`,
      ours: () => list(setup, { filter: parsed, cursor }),
      reference: () => plain(setup, { ...(condition !== undefined && { condition }), offset: depth }),
      referenceName: 'OFFSET',
    });
    const beside = await latencies(setup, {
      name: `page at depth ${depth.toLocaleString('en')}, ${name}, beside the first page`,
      ours: () => list(setup, { filter: parsed, cursor }),
      reference: () => list(setup, { filter: parsed }),
      referenceName: 'the first page',
      target: { of: 'ratio', atMost: 1.2 },
    });
    rows.push(...deep, ...beside);
  }
  return rows;
}

/** A cursor is a place in time, whatever filter it comes from. */
async function cursorAtDepth(
  setup: Setup,
  { filter, condition = 'true' }: { filter: Filter; condition: string | undefined },
) {
  const { rows } = await setup.client.query<{ count: string }>(
    `select count(*) from annals.activity where tenant_id = $1 and ${condition}`,
    [loadedTenant],
  );
  const depth = Math.min(1_000_000, Math.floor(Number(rows[0]?.count) * 0.8));
  const { rows: places } = await setup.client.query<{ occurred_at: Date }>(
    `select occurred_at from annals.activity where tenant_id = $1 and ${condition}
      order by occurred_at desc, id desc offset $2 limit 1`,
    [loadedTenant, depth],
  );
  const { next } = await list(setup, { filter: { ...filter, to: places[0]?.occurred_at as Date } });
  return { depth, cursor: next };
}

async function lookups(setup: Setup): Promise<Row[]> {
  const { activities } = await list(setup, { limit: 1_000 });
  const ctx = setup.bench.context(loadedTenant);
  let at = 0;
  const nextId = () => activities[at++ % activities.length]?.id as string;
  const count = (name: string, query: string, condition: string) =>
    latencies(setup, {
      name: `count, ${name}`,
      ours: () => countActivities({ ctx, input: { query } }),
      reference: () =>
        setup.client.query(`select count(*) from annals.activity where tenant_id = $1 and ${condition}`, [
          loadedTenant,
        ]),
      referenceName: 'exact count(*)',
    });
  return [
    ...(await latencies(setup, {
      name: 'get by id',
      ours: () => getActivity({ ctx, input: { id: nextId() } }),
      reference: () =>
        setup.client.query('select * from annals.activity where tenant_id = $1 and id = $2', [
          loadedTenant,
          nextId(),
        ]),
      referenceName: 'by id alone',
      target: p99Max,
    })),
    ...(await count('actor usr_0', 'actor:usr_0', `actor_id = 'usr_0'`)),
    ...(await count('outcome denied', 'outcome:denied', `outcome = 'denied'`)),
  ];
}

const exportSize = 50_000;

/** As the SDK takes them: pages of 1,000, the next one asked for while the last is written as JSON. */
async function exports(setup: Setup): Promise<Row[]> {
  const ctx = setup.bench.context(loadedTenant);
  const rounds: { ours: number; reference: number }[] = [];
  const memory: { ours: number }[] = [];
  for (let round = 0; round <= setup.rounds; round += 1) {
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    let most = before;
    const ours = await rateOf(async () => {
      let written = 0;
      let page = exportActivities({ ctx, input: { order: 'oldest', limit: 1_000 } });
      for (;;) {
        const { activities, next } = await page;
        if (next === undefined || written + activities.length >= exportSize) break;
        page = exportActivities({ ctx, input: { order: 'oldest', limit: 1_000, cursor: next } });
        for (const activity of activities) JSON.stringify(activity);
        written += activities.length;
        most = Math.max(most, process.memoryUsage().rss);
      }
      await page;
      return written;
    });
    const reference = await rateOf(async () => {
      let written = 0;
      for (; written < exportSize; written += 1_000) {
        const { rows } = await setup.client.query(
          `select * from annals.activity where tenant_id = $1 order by occurred_at, id limit 1000 offset $2`,
          [loadedTenant, written],
        );
        if (rows.length === 0) break;
        for (const row of rows) JSON.stringify(row);
      }
      return written;
    });
    if (round === 0) continue;
    rounds.push({ ours, reference });
    memory.push({ ours: (most - before) / 2 ** 20 });
  }
  return [
    rowOf(
      { name: 'export', unit: 'records/s', referenceName: 'OFFSET', target: { of: 'ours', atLeast: 50_000 } },
      rounds,
    ),
    rowOf({ name: 'export, memory growth', unit: 'MiB', target: { of: 'ours', atMost: 200 } }, memory),
  ];
}

async function rateOf(work: () => Promise<number>): Promise<number> {
  const startMs = performance.now();
  const done = await work();
  return (done * 1_000) / (performance.now() - startMs);
}
