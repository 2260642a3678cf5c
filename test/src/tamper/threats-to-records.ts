import { expect } from 'vitest';
import { audit, invalidCodes } from './audit.ts';
import { firstOf } from './catalogue.ts';
import { change, codesOf, eraseSecretly, nobodyHolds, type Scenario, sign } from './deeds.ts';
import { idOf, ownSigner, readBundle, rewriteLog, victim } from './rewrite.ts';
import { rowCases } from './row-cases.ts';
import { redact } from './services.ts';

/** Changes of single records, by the words of docs/integrity.md. */
export const threatsToRecords: Readonly<Record<string, Scenario>> = {
  'change a value, a salt, a receive time or an id of a signed activity': async (history) => {
    const sets = {
      message: `message = 'forged'`,
      salt: 'seed = set_byte(t.seed, 0, get_byte(t.seed, 0) # 1)',
      'receive time': `recorded_at = t.recorded_at + interval '1 ms'`,
      id: `id = overlay(t.id::text placing 'ffff' from 33)::uuid`,
    };
    for (const [name, set] of Object.entries(sets)) {
      await change(history, set);
      expect(await codesOf(history, nobodyHolds), name).toEqual(['record_mismatch']);
      await history.undo();
    }
  },

  'move a value to another field, or to another activity': async (history) => {
    await change(history, 'message = t.reason, reason = t.message');
    expect(await codesOf(history, nobodyHolds)).toEqual(['record_mismatch']);
    await history.undo();
    await change(
      history,
      `message = (select message from annals.activity where message <> t.message limit 1)`,
    );
    expect(await codesOf(history, nobodyHolds)).toEqual(['record_mismatch']);
  },

  'delete a signed activity, or drop a partition, without a log entry': async (history) => {
    const { admin } = history;
    await admin.query(`delete from annals.activity where id = $1`, [await idOf(history, victim)]);
    expect(await codesOf(history, nobodyHolds)).toEqual(['index_unexplained']);
    await history.undo();
    // What dropping it comes to, and can be undone.
    await admin.query('truncate annals.activity_202604');
    expect(await codesOf(history, nobodyHolds)).toContain('index_unexplained');
  },

  'insert into the past, reorder': async (history) => {
    const { admin } = history;
    const forged = rowCases(['activity']);
    for (const { statement } of forged.filter(({ row }) => /where one was purged|two records/.test(row))) {
      await admin.query(statement);
      expect((await codesOf(history, nobodyHolds)).length).toBeGreaterThan(0);
      await rewriteLog(history);
      await ownSigner(history);
      await sign(history);
      expect(await codesOf(history)).toContain('held_checkpoint_mismatch');
      await history.undo();
    }
  },

  'erase more than was asked for, without logging it': async (history) => {
    await eraseSecretly(history, (before) => ({ ...before, message: undefined, erased: ['message'] }));
    expect(await codesOf(history, nobodyHolds)).toEqual(['erasure_unexplained']);
  },

  'erase or purge more, **through** Annals': async (history) => {
    const requests = async () =>
      (await readBundle(history)).records.filter(({ record }) => record.action === 'erasure.requested')
        .length;
    const before = await requests();
    await redact(history.ctx, 'actor:user_kept', 'message');
    await sign(history);
    expect(await codesOf(history)).toEqual([]);
    expect(await requests()).toBe(before + 1);
  },

  'change what an erasure left of a value or its list of erased fields': async (history) => {
    const redacted = firstOf('activity', `t.erased @> '{metadata.user.email}'`);
    const sets = [
      `metadata = jsonb_set(t.metadata, '{user}', '{"email": "x@example.com"}')`,
      `erased = '{message}'`,
    ];
    for (const set of sets) {
      await change(history, set, redacted);
      expect(await codesOf(history, nobodyHolds)).toEqual(['erasure_mismatch']);
      await history.undo();
    }
  },

  'change what an erasure leaves, while erasing': async (history) => {
    const { admin } = history;
    const before = (await audit(history)).counts;
    const { id, slotCount, slots, rest } = await eraseSecretly(history, (record) => ({
      ...record,
      metadata: { ...record.metadata, plan: 'forged' },
      erased: ['metadata.plan'],
    }));
    await admin.query(
      `insert into annals.erasure_item
        select a.tenant_id, m.id, a.batch_id, a.position, $2, $3, $4 from annals.activity a, annals.manifest m
        where a.id = $1 and m.kind = 'erasure' and m.sealed_at is null`,
      [id, slotCount, Buffer.from(slots), Buffer.from(rest)],
    );
    const report = await audit(history);
    expect(invalidCodes(report)).toEqual([]);
    expect(report.counts).toMatchObject({
      disclosed: before.disclosed - 1,
      pending: before.pending + 1,
      unexplained: 0,
    });
  },
};
