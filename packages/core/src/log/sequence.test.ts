import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appendActivities } from '../activity/append.ts';
import type { Services } from '../context.ts';
import type { Database, Tx } from '../database/database.ts';
import { killedAt } from '../database/testing.ts';
import { beginEpoch, openTestPair, sequenceAll, type TestCore, type TestPair } from '../testing.ts';
import { newestLog } from './newest-log.ts';
import { sequence } from './sequence.ts';
import { commitLeaves, expectSound, type Stored, storeLeaves } from './testing-batches.ts';

let pair: TestPair;
let core: TestCore;
let other: Services;
let admin: Client;
beforeAll(async () => {
  pair = await openTestPair();
  ({ core, other, admin } = pair);
});
afterAll(() => pair.close());

/** A tenant with batches of these sizes, of which nothing is sequenced yet. */
async function aTenant(...counts: number[]): Promise<{ tenantId: string; stored: Stored }> {
  const { tenantId } = core.context();
  const stored: Stored = new Map();
  for (const count of counts) await commitLeaves(core, { tenantId, count, stored });
  return { tenantId, stored };
}

async function placesOf(tenantId: string): Promise<unknown[]> {
  const { rows } = await admin.query<object>(
    'select epoch, first_index from annals.batch where tenant_id = $1 order by id',
    [tenantId],
  );
  return rows;
}

test('appended activities get indexes in the order of their batches, and their leaves move into the log', async () => {
  const ctx = core.context();
  const stored: Stored = new Map();
  for (const count of [300, 1, 5]) {
    await appendActivities({ ctx, input: { activities: Array.from({ length: count }, () => anActivity()) } });
  }
  const { rows } = await admin.query<{ id: string; leaves: Buffer }>(
    'select id, leaves from annals.batch where tenant_id = $1',
    [ctx.tenantId],
  );
  for (const { id, leaves } of rows) stored.set(id, leaves);
  expect(await sequenceAll(core, ctx.tenantId)).toBe(306);
  await expectSound(core, ctx.tenantId, stored);
  expect(await ctx.db.transaction(ctx.tenantId, newestLog)).toMatchObject({ epoch: 1, size: 306 });
});

test('nothing to sequence is no change', async () => {
  const { tenantId, stored } = await aTenant();
  expect(await sequence(core.services, tenantId)).toBe(0);
  await expectSound(core, tenantId, stored);
});

test('a large backlog is worked off in bites, which need not be even', async () => {
  const { tenantId, stored } = await aTenant(10_000, 10_000, 10_000, 10_000, 3);
  expect(await sequence(core.services, tenantId)).toBe(20_000);
  await expectSound(core, tenantId, stored);
  expect(await sequenceAll(core, tenantId)).toBe(20_003);
  await expectSound(core, tenantId, stored);
});

test('many small batches are worked off in bites too', async () => {
  const { tenantId, stored } = await aTenant();
  await core.services.db.transaction(tenantId, async (tx) => {
    for (let n = 0; n < 2_100; n += 1) stored.set(...(await storeLeaves(tx, 1)));
  });
  expect(await sequence(core.services, tenantId)).toBe(2_048);
  expect(await sequence(core.services, tenantId)).toBe(52);
  await expectSound(core, tenantId, stored);
});

test('tiles, edge and root are right on both sides of every boundary of tiles and of levels', async () => {
  const { tenantId, stored } = await aTenant();
  // To 255, 256, 257, 65,535, 65,536, 65,537, 65,792 and 66,049 entries.
  for (const count of [255, 1, 1, 65_278, 1, 1, 255, 257]) {
    await commitLeaves(core, { tenantId, count, stored });
    expect(await sequenceAll(core, tenantId)).toBe(count);
    await expectSound(core, tenantId, stored);
  }
});

describe('with others at it', () => {
  test('a log that somebody else holds is left to them, without waiting; writers do not wait either', async () => {
    const { tenantId, stored } = await aTenant(3);
    expect(await sequence(core.services, tenantId)).toBe(3);
    await commitLeaves(core, { tenantId, count: 2, stored });
    await other.db.transaction(
      tenantId,
      async (tx) => {
        await tx.query(sql`select 1 from annals.log where tenant_id = ${tenantId} for update`);
        expect(await sequence(core.services, tenantId)).toBe(0);
        await commitLeaves(core, { tenantId, count: 1, stored });
      },
      { role: 'custodian' },
    );
    expect(await sequence(core.services, tenantId)).toBe(3);
    await expectSound(core, tenantId, stored);
  });

  test('several that begin the same log at once give out each index once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { tenantId, stored } = await aTenant(7, 300, 2);
      const services = [core.services, other, core.services, other];
      const added = await Promise.all(services.map((each) => sequence(each, tenantId)));
      expect(added.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 309]);
      await expectSound(core, tenantId, stored);
    }
  });

  test('a batch that is committed late comes behind those that were there, and loses nothing', async () => {
    const { tenantId, stored } = await aTenant();
    await other.db.transaction(tenantId, async (tx) => {
      stored.set(...(await storeLeaves(tx, 5)));
      await commitLeaves(core, { tenantId, count: 4, stored });
      expect(await sequenceAll(core, tenantId)).toBe(4);
    });
    expect(await sequenceAll(core, tenantId)).toBe(5);
    await expectSound(core, tenantId, stored);
  });

  test('after a new epoch has begun, batches come into that, from index 0', async () => {
    const { tenantId } = await aTenant(4);
    expect(await sequenceAll(core, tenantId)).toBe(4);
    await beginEpoch(core, tenantId);
    await commitLeaves(core, { tenantId, count: 3, stored: new Map() });
    expect(await sequenceAll(core, tenantId)).toBe(3);
    expect(await placesOf(tenantId)).toEqual([
      { epoch: 1, first_index: '0' },
      { epoch: 2, first_index: '0' },
    ]);
  });

  test('one that begins as the log is claimed takes what the log before it was to have', async () => {
    const { tenantId } = await aTenant(4);
    expect(await sequenceAll(core, tenantId)).toBe(4);
    await commitLeaves(core, { tenantId, count: 3, stored: new Map() });
    const { db } = other;
    const transaction: Database['transaction'] = (tenant, work, options) =>
      db.transaction(
        tenant,
        (tx) => {
          let claimed = false;
          const query: Tx['query'] = async (statement) => {
            const rows = await tx.query(statement);
            if (!claimed) await beginEpoch(core, tenantId);
            claimed = true;
            return rows;
          };
          return work({ ...tx, query });
        },
        options,
      );
    expect(await sequence({ ...other, db: { ...db, transaction } }, tenantId)).toBe(0);
    expect(await sequenceAll(core, tenantId)).toBe(3);
    expect(await placesOf(tenantId)).toEqual([
      { epoch: 1, first_index: '0' },
      { epoch: 2, first_index: '0' },
    ]);
  });
});

test('killed at any step, it has done nothing, and the next one does it all', async () => {
  let steps = 0;
  for (let step = 0; ; step += 1) {
    const { tenantId, stored } = await aTenant(250);
    await sequenceAll(core, tenantId);
    await commitLeaves(core, { tenantId, count: 300, stored });
    const { db, wasKilled } = killedAt(core.services.db, { admin, step });
    const attempt = sequence({ ...core.services, db }, tenantId);
    if (
      await attempt.then(
        () => true,
        () => false,
      )
    ) {
      expect(wasKilled()).toBe(false);
      break;
    }
    steps += 1;
    await expect(attempt).rejects.toMatchObject({ code: 'unavailable' });
    await expectSound(core, tenantId, stored);
    expect(await sequence(other, tenantId)).toBe(300);
    await expectSound(core, tenantId, stored);
  }
  // To claim, to read, to store tiles, to place the batches and move the log on, to commit.
  expect(steps).toBe(5);
});

describe('what contradicts itself is refused, and nothing of it is written', () => {
  const tamperings = {
    'a leaf is another': `update annals.batch set leaves = overlay(leaves placing '\\x00ff00' from 40) where id = $1`,
    'a leaf is missing': `update annals.batch set leaves = substring(leaves from 33) where id = $1`,
    'the leaves are gone': `update annals.batch set leaves = null where id = $1`,
    'the leaves are empty': `update annals.batch set leaves = '', size = 0 where id = $1`,
    'leaves end within a hash': `update annals.batch set leaves = substring(leaves from 2) where id = $1`,
    'the size is another': `update annals.batch set size = size + 1 where id = $1`,
    'the root is another': `update annals.batch set root = sha256(root) where id = $1`,
    'the root is shorter': `update annals.batch set root = substring(root from 2) where id = $1`,
  };
  test.each(Object.entries(tamperings))('%s', async (_, statement) => {
    const { tenantId, stored } = await aTenant(3, 300, 5);
    const batchId = [...stored.keys()][1];
    await admin.query(statement, [batchId]);
    await expect(sequence(core.services, tenantId)).rejects.toMatchObject({ name: 'LogRefused', batchId });
    const { rows } = await admin.query(
      `select (select count(*) from annals.batch where tenant_id = $1 and first_index is not null)::int
        + (select count(*) from annals.log where tenant_id = $1)::int
        + (select count(*) from annals.tile where tenant_id = $1)::int as written`,
      [tenantId],
    );
    expect(rows).toEqual([{ written: 0 }]);
  });

  const ofLogs = {
    'the size of the log is another': `update annals.log set size = size - 256 where tenant_id = $1`,
    'the root of the log is another': `update annals.log set root = sha256(root) where tenant_id = $1`,
    'the edge of the log is another': `update annals.log set edge[1] = sha256(edge[1]) || substring(edge[1] from 33) where tenant_id = $1`,
    'the edge of the log is gone': `update annals.log set edge = '{}' where tenant_id = $1`,
  };
  test.each(Object.entries(ofLogs))('%s', async (_, statement) => {
    const { tenantId, stored } = await aTenant(300);
    await sequenceAll(core, tenantId);
    await admin.query(statement, [tenantId]);
    await commitLeaves(core, { tenantId, count: 1, stored });
    await expect(sequence(core.services, tenantId)).rejects.toMatchObject({ name: 'LogRefused' });
  });

  test('a log that was set back, with tiles that are ahead of it', async () => {
    const { tenantId } = await aTenant(200);
    await sequenceAll(core, tenantId);
    await admin.query('create temporary table earlier as select * from annals.log where tenant_id = $1', [
      tenantId,
    ]);
    await commitLeaves(core, { tenantId, count: 100, stored: new Map() });
    await sequenceAll(core, tenantId);
    await admin.query('delete from annals.log where tenant_id = $1', [tenantId]);
    await admin.query('insert into annals.log select * from earlier');
    await commitLeaves(core, { tenantId, count: 100, stored: new Map() });
    await expect(sequence(core.services, tenantId)).rejects.toThrow();
  });
});
