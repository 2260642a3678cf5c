import { type Filter, Filter as FilterSchema, type ListInput, type Page } from '@annals/contract';
import { countActivities, getActivity, listActivities } from '@annals/core';
import { Client } from 'pg';
import { loadedTenant } from '../data/load-records.ts';
import { growLoaded } from '../data/loaded.ts';
import { type Bench, openBench } from '../open-bench.ts';
import type { Row } from '../row.ts';
import type { Suite } from '../suite.ts';
import type { Turns } from '../take-turns.ts';
import { type Latencies, latencyRow, timeCalls, worstOf } from '../time-calls.ts';
import { pairs, type ReadCase, searches, singles } from './read-cases.ts';

const pageSize = 50;
const p99Max = { of: 'ours', atMost: 10 } as const;

export interface ReadSetup {
  readonly bench: Bench;
  readonly client: Client;
  readonly turns: Turns;
}

/** Pages, single activities and counts, beside what one would write without thinking of it. */
export const read: Suite = async ({ database, records, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await growLoaded({ url, bench }, records);
    const setup: ReadSetup = { bench, client, turns };
    return [
      ...(await firstPages(setup, 'a filter of one dimension', singles)),
      ...(await firstPages(setup, 'a filter of two dimensions', pairs)),
      ...(await searchPages(setup)),
      ...(await deepPages(setup)),
      ...(await lookups(setup)),
    ];
  } finally {
    await client.end();
    await bench.close();
  }
};

function list({ bench }: Pick<ReadSetup, 'bench'>, input: Partial<ListInput>): Promise<Page> {
  const ctx = bench.context(loadedTenant);
  return listActivities({ ctx, input: { order: 'newest', limit: pageSize, ...input } });
}

function plain({ client }: ReadSetup, { condition = 'true', offset = 0 }): Promise<unknown> {
  return client.query(
    `select * from annals.activity where tenant_id = $1 and ${condition}
      order by occurred_at desc, id desc limit ${pageSize} offset ${offset}`,
    [loadedTenant],
  );
}

function timePage(setup: ReadSetup, { filter, condition }: ReadCase): Promise<Latencies[]> {
  const parsed = FilterSchema.parse(filter);
  return timeCalls(
    { ours: () => list(setup, { filter: parsed }), reference: () => plain(setup, { condition }) },
    setup.turns,
  );
}

async function firstPages(setup: ReadSetup, label: string, cases: readonly ReadCase[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (const each of cases) {
    const spec = { name: each.name, referenceName: 'plain ORDER BY', target: p99Max };
    rows.push(latencyRow(spec, await timePage(setup, each), 0.99));
  }
  return worstOf(`first page, ${label}, p99`, rows);
}

async function searchPages(setup: ReadSetup): Promise<Row[]> {
  const rows: Row[] = [];
  for (const each of searches) {
    const spec = { name: `search, ${each.name}, p50`, referenceName: 'plain ORDER BY' };
    rows.push(latencyRow(spec, await timePage(setup, each), 0.5));
  }
  return rows;
}

const deep: readonly ReadCase[] = [
  { name: 'all', filter: {}, condition: 'true' },
  { name: 'actor usr_0', filter: { actor: 'usr_0' }, condition: `actor_id = 'usr_0'` },
];

async function deepPages(setup: ReadSetup): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, filter, condition } of deep) {
    const parsed = FilterSchema.parse(filter);
    const { depth, cursor } = await cursorAtDepth(setup, { filter: parsed, condition });
    const label = `page at depth ${depth.toLocaleString('en')}, ${name}, p50`;
    const page = () => list(setup, { filter: parsed, cursor });
    const beside = async (referenceName: string, reference: () => Promise<unknown>) =>
      [referenceName, await timeCalls({ ours: page, reference }, setup.turns)] as const;
    const [first, offset] = [
      await beside('our first page', () => list(setup, { filter: parsed })),
      await beside('OFFSET', () => plain(setup, { condition, offset: depth })),
    ];
    rows.push(
      latencyRow(
        { name: label, referenceName: first[0], target: { of: 'ratio', atMost: 1.2 } },
        first[1],
        0.5,
      ),
      latencyRow({ name: label, referenceName: offset[0] }, offset[1], 0.5),
    );
  }
  return rows;
}

interface Depth {
  readonly filter: Filter;
  readonly condition: string;
  /** Of the records that the filter selects. */
  readonly part?: number;
  readonly depthMax?: number;
}

/** A cursor a part of the records away from the newest, or so many where there are more. */
export async function cursorAtDepth(
  setup: Pick<ReadSetup, 'bench' | 'client'>,
  { filter, condition, part = 0.8, depthMax = 1_000_000 }: Depth,
): Promise<{ depth: number; cursor: string | undefined }> {
  const { rows } = await setup.client.query<{ count: string }>(
    `select count(*) from annals.activity where tenant_id = $1 and ${condition}`,
    [loadedTenant],
  );
  const depth = Math.min(depthMax, Math.floor(Number(rows[0]?.count) * part));
  const { rows: places } = await setup.client.query<{ occurred_at: Date }>(
    `select occurred_at from annals.activity where tenant_id = $1 and ${condition}
      order by occurred_at desc, id desc offset $2 limit 1`,
    [loadedTenant, depth],
  );
  const { next } = await list(setup, { filter: { ...filter, to: places[0]?.occurred_at as Date } });
  return { depth, cursor: next };
}

async function lookups(setup: ReadSetup): Promise<Row[]> {
  const { activities } = await list(setup, { limit: 1_000 });
  const ctx = setup.bench.context(loadedTenant);
  let at = 0;
  const nextId = () => activities[at++ % activities.length]?.id as string;
  const query = (text: string, values: readonly string[]) =>
    setup.client.query(
      `${text} where tenant_id = $1 and ${values.length > 0 ? 'id = $2' : `actor_id = 'usr_0'`}`,
      [loadedTenant, ...values],
    );
  const byId = await timeCalls(
    {
      ours: () => getActivity({ ctx, input: { id: nextId() } }),
      reference: () => query('select * from annals.activity', [nextId()]),
    },
    setup.turns,
  );
  const counted = await timeCalls(
    {
      ours: () => countActivities({ ctx, input: { query: 'actor:usr_0' } }),
      reference: () => query('select count(*) from annals.activity', []),
    },
    setup.turns,
  );
  return [
    latencyRow({ name: 'get by id, p99', referenceName: 'by id alone', target: p99Max }, byId, 0.99),
    latencyRow({ name: 'count, actor usr_0, p50', referenceName: 'exact count(*)' }, counted, 0.5),
  ];
}
