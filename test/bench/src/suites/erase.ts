import type { ActivityInput } from '@annals/contract';
import { appendActivities, applyAnonymize, getJob, planAnonymize, runJob } from '@annals/core';
import { Client } from 'pg';
import { generateActivities, takeNext } from '../data/activities.ts';
import { type Bench, freshen, openBench } from '../open-bench.ts';
import { type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

type Generated = ActivityInput & { id: string };

const callSize = 1_000;
const personId = 'usr_bench_person';
const personName = 'Ada Bench Lovelace';

interface Case {
  readonly name: string;
  /** Of how many records one is the person's. */
  readonly every: number;
  readonly mark: (activity: Generated) => Generated;
  /** What somebody would write in place of it: of the records that name the person by id. */
  readonly set: string;
}

const asActor = (activity: Generated): Generated => ({
  ...activity,
  actor: { type: 'user', id: personId, label: personName },
});

const actorSet = 'actor_id = null, actor_label = null, ip = null, user_agent = null, session_id = null';

const cases: readonly Case[] = [
  { name: 'all records theirs', every: 1, mark: asActor, set: actorSet },
  { name: 'one of ten theirs', every: 10, mark: asActor, set: actorSet },
  {
    name: 'many fields of all records',
    every: 1,
    mark: (activity) => ({
      ...asActor(activity),
      subject: { id: personId },
      target: { type: 'user', id: personId, label: personName },
      message: `${activity.message} by ${personName}`,
      reason: `asked by ${personName}`,
      tags: ['plain', personId],
      metadata: {
        ...activity.metadata,
        owner: { name: personName, ids: [personId, 'other'] },
        note: `of ${personName}`,
        watchers: [{ name: personName }, { name: 'somebody else' }],
      },
    }),
    set: `${actorSet}, subject_id = null, target_id = null, target_label = null, message = null, reason = null,
      tags = array['plain'], metadata = metadata - 'owner' - 'note' - 'watchers'`,
  },
];

/**
 * Erasing a person: what is found is replaced, its proofs are kept, and every record is scanned once more for what is
 * left. Beside it, one UPDATE that does none of that. A rate tells of the records that were erased, and of all that
 * were looked at where the person has few of them.
 */
export const erase: Suite = async ({ database, records, rounds }) => {
  const url = await database();
  const bench = await openBench(url);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const count = Math.min(50_000, Math.max(2_000, Math.floor(records / 20)));
    const rows: Row[] = [];
    for (const each of cases) {
      const rates: { ours: number; reference: number }[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        const tenants = [
          `erase-${each.every}-${rows.length}-${round}`,
          `update-${each.every}-${rows.length}-${round}`,
        ] as const;
        for (const tenantId of tenants) await load(bench, { tenantId, count, each });
        const ours = (count * 1_000) / (await eraseIn(bench, tenants[0]));
        const reference = (count * 1_000) / (await update(client, tenants[1], each));
        if (round > 0) rates.push({ ours, reference });
      }
      rows.push(
        rowOf(
          {
            name: `erase a person, ${each.name}`,
            unit: 'records/s',
            referenceName: 'one UPDATE',
            target: { of: 'ours', atLeast: 10_000 },
          },
          rates,
        ),
      );
    }
    return rows;
  } finally {
    await client.end();
    await bench.close();
  }
};

async function load(
  bench: Bench,
  { tenantId, count, each }: { tenantId: string; count: number; each: Case },
): Promise<void> {
  const startMs = Date.now() - 7 * 86_400_000;
  const samples = generateActivities({ seed: 7, startMs, stepMs: 10 });
  for (let stored = 0; stored < count; stored += callSize) {
    const activities = takeNext(samples, callSize).map((activity, at) =>
      at % each.every === 0 ? each.mark(activity) : activity,
    );
    // The same for each tenant, but for ids and times.
    const own = freshen(activities, startMs + stored);
    const { refused } = await appendActivities({ ctx: bench.context(tenantId), input: { activities: own } });
    if (refused > 0) throw new Error('activities were refused');
  }
}

/** The run alone: the plan and its application look through all records once each, and change nothing. */
async function eraseIn(bench: Bench, tenantId: string): Promise<number> {
  const ctx = bench.context(tenantId);
  const input = { mode: 'anonymize' as const, ids: [personId], identifiers: [], learn: true, except: [] };
  const plan = await planAnonymize({ ctx, input });
  const { id } = await applyAnonymize({ ctx, input: { planId: plan.id, driftMax: 0 } });
  const ms = await msOf(() => runJob(bench.services, { tenantId, jobId: id }));
  const { status, result } = await getJob({ ctx, input: { id } });
  if (status !== 'completed' || result?.residual?.matches !== 0) throw new Error(`the erasure is ${status}`);
  return ms;
}

async function update(client: Client, tenantId: string, { set }: Case): Promise<number> {
  return msOf(() =>
    client.query(`update annals.activity set ${set} where tenant_id = $1 and actor_id = $2`, [
      tenantId,
      personId,
    ]),
  );
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
