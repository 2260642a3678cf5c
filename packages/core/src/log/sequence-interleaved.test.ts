import * as fc from 'fast-check';
import { sql } from 'kysely';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Services } from '../context.ts';
import { killedAt } from '../database/testing.ts';
import { openTestPair, sequenceAll, type TestCore, type TestPair } from '../testing.ts';
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

interface Tenant {
  readonly tenantId: string;
  readonly stored: Stored;
}

type Step =
  | { readonly kind: 'commit' | 'open'; readonly tenant: number; readonly count: number }
  | {
      readonly kind: 'sequence' | 'both' | 'kill' | 'commit late';
      readonly tenant: number;
      readonly at: number;
    };

const tenant = fc.nat(2);
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('commit' as const, 'open' as const),
      tenant,
      count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 200, max: 600 })),
    }),
    fc.record({
      kind: fc.constantFrom('sequence' as const, 'both' as const, 'kill' as const, 'commit late' as const),
      tenant,
      at: fc.nat(7),
    }),
  ),
  { minLength: 5, maxLength: 25 },
);

/** Writers that have not committed yet, each in a transaction of its own. */
function lateWriters() {
  const open: { tenant: number; commit: () => void; done: Promise<void> }[] = [];
  return {
    open: async (tenant: number, { tenantId, stored }: Tenant, count: number) => {
      const began = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      const done = other.db.transaction(tenantId, async (tx) => {
        stored.set(...(await storeLeaves(tx, count)));
        began.resolve();
        await held.promise;
      });
      await began.promise;
      open.push({ tenant, commit: held.resolve, done });
    },
    count: () => open.length,
    /** Commit one of the tenant's, not the first that began where there is another. */
    commit: async (tenant?: number) => {
      const at = open.findLastIndex((each) => tenant === undefined || each.tenant === tenant);
      const [writer] = at < 0 ? [] : open.splice(at, 1);
      writer?.commit();
      await writer?.done;
    },
  };
}

test('whatever order writers, two sequencers and kills come in, the log is the tree of its batches', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (run: Step[]) => {
      const tenants = Array.from(
        { length: 3 },
        (): Tenant => ({ tenantId: core.context().tenantId, stored: new Map() }),
      );
      const writers = lateWriters();
      for (const step of run) {
        const { tenantId, stored } = tenants[step.tenant] as Tenant;
        if (step.kind === 'commit') await commitLeaves(core, { tenantId, count: step.count, stored });
        if (step.kind === 'open' && writers.count() < 3) {
          await writers.open(step.tenant, { tenantId, stored }, step.count);
        }
        if (step.kind === 'commit late') await writers.commit(step.tenant);
        if (step.kind === 'sequence') await sequence(other, tenantId);
        if (step.kind === 'both') {
          await Promise.all(
            tenants.flatMap((each) => [core.services, other].map((by) => sequence(by, each.tenantId))),
          );
        }
        if (step.kind === 'kill') {
          const { db } = killedAt(core.services.db, { admin, step: step.at });
          await sequence({ ...core.services, db }, tenantId).catch(() => 0);
        }
        await expectSound(core, tenantId, stored);
      }
      while (writers.count() > 0) await writers.commit();
      for (const { tenantId, stored } of tenants) {
        await sequenceAll(core, tenantId);
        await expectSound(core, tenantId, stored);
        const [total] = await core.services.db.transaction(tenantId, (tx) =>
          tx.query(sql<{ left: number }>`
            select count(*)::int as left from annals.batch where tenant_id = ${tenantId} and first_index is null`),
        );
        expect(total).toEqual({ left: 0 });
      }
    }),
    { numRuns: 12 },
  );
});
