import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Context, rotateLogKey } from '@annals/core';
import { openTestCore, signAll, type TestCore } from '@annals/core/testing';
import type { Receipt } from '@annals/tlog';
import { Client } from 'pg';
import { manyActivities, persons } from './activities.ts';
import { origin, tenantId } from './catalogue.ts';
import { anonymize, appendAll, policyOf, purge, redact, sealAll } from './services.ts';
import { keepState } from './undo.ts';

/** A tenant's history as real services made it, and all that an auditor and a superuser need. */
export interface History {
  readonly core: TestCore;
  readonly ctx: Context;
  /** The signer's directory. */
  readonly dir: string;
  /** Who can do everything in the database. */
  readonly admin: Client;
  /** Trusts the keys of the log; it came from elsewhere. */
  readonly policy: string;
  /** Checkpoints as an auditor kept them, in the order of their sizes; the last is the newest that was signed. */
  readonly held: readonly string[];
  /** What callers were told of each activity. */
  readonly receipts: readonly Receipt[];
  /** Bring the database back to this state, as from a backup; the signer remembers what it signed since. */
  readonly restore: () => Promise<void>;
  /** Make everything as it was, the signer's memory included. */
  readonly undo: () => Promise<void>;
  close(): Promise<void>;
}

/**
 * 275 activities and Annals' own records: redacted, anonymized and pseudonymized, some of them twice; purged by
 * record and by whole partition; in sealed manifests and in one that is still open; signed with two keys. Two
 * batches still wait for their place in the log. Another tenant has a log beside it.
 */
export async function openHistory(): Promise<History> {
  const core = await openTestCore();
  const dir = await mkdtemp(join(tmpdir(), 'annals-tamper-'));
  const admin = new Client({ connectionString: core.url });
  await admin.connect();
  const ctx = core.context({ tenantId });
  const { held, receipts } = await makeHistory(core, { ctx, dir });
  // For records to be moved to other years.
  await admin.query(`select annals.create_activity_partition(occurred_at + interval '1 year')
    from (select distinct date_trunc('month', occurred_at) as occurred_at from annals.activity) as months`);
  await admin.query('analyze');
  const { restoreDatabase, restoreSigner } = await keepState(admin, dir);
  const now = core.clock.now();
  return {
    core,
    ctx,
    dir,
    admin,
    policy: await policyOf(dir, origin),
    held,
    receipts,
    restore: restoreDatabase,
    undo: async () => {
      await restoreDatabase();
      await restoreSigner();
      core.clock.set(now);
    },
    close: async () => {
      await admin.end();
      await core.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function makeHistory(core: TestCore, { ctx, dir }: Pick<History, 'ctx' | 'dir'>) {
  const held: string[] = [];
  const receipts: Receipt[] = [];
  const append = async (first: number, count: number) => {
    // Batches of one millisecond would come into the log in any order.
    core.clock.advance(1);
    receipts.push(...(await appendAll(ctx, manyActivities(first, count))));
  };
  const sign = async () => {
    const note = await signAll(core, { tenantId, dir });
    if (note) held.push(note);
  };
  const other = core.context({ tenantId: 'other' });
  await appendAll(other, manyActivities(120, 256));
  await signAll(core, { tenantId: other.tenantId, dir });
  await append(0, 70);
  await sign();
  for (const first of [70, 170]) await append(first, 100);
  await sign();
  await purge(ctx, 'session.ended', 90);
  await redact(ctx, `actor:${persons[0]}`, 'message', 'metadata.user.email');
  await anonymize(ctx, { id: persons[1], mode: 'anonymize' });
  await sealAll(core, { tenantId, dir });
  await sign();
  await redact(ctx, `actor:${persons[0]}`, 'reason', 'tags');
  await anonymize(ctx, { id: persons[2], mode: 'pseudonymize' });
  await purge(ctx, 'invoice.paid', 90);
  await sealAll(core, { tenantId, dir });
  await rotateLogKey(dir);
  await sign();
  // Its manifest stays open, since no day has passed.
  await redact(ctx, `actor:${persons[0]}`, 'context.userAgent');
  await append(270, 5);
  await sign();
  for (const first of [275, 285]) await append(first, 10);
  return { held, receipts };
}
