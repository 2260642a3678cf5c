import { listActivities, openEpochIn } from '@annals/core';
import { commitRecords } from '@annals/tlog';
import { expect } from 'vitest';
import { audit, noticeOf } from './audit.ts';
import { firstOf, tenantId } from './catalogue.ts';
import { codesOf, lineOf, nobodyHolds, type Scenario, sign } from './deeds.ts';
import { idOf, readBundle, rewriteBatch, victim } from './rewrite.ts';
import { appendAll, redact } from './services.ts';

/** What lies beyond the log, by the words of docs/integrity.md. */
export const threatsBeyond: Readonly<Record<string, Scenario>> = {
  'drop or change an activity **before** it is sequenced (a quarter of a second)': async (history) => {
    const { admin } = history;
    const id = await idOf(history, firstOf('activity', `t.message is null and t.metadata @> '{"n": 275}'`));
    // What the record looks like, from a log that goes on undisturbed.
    await sign(history);
    const { record, seed } = await lineOf(history, id);
    await history.undo();
    const reason = 'forged';
    await admin.query('update annals.activity set reason = $2 where id = $1', [id, reason]);
    await rewriteBatch(history, { id, leaf: commitRecords([{ ...record, reason }], seed) });
    await sign(history);
    expect(await codesOf(history)).toEqual([]);
    expect(await codesOf(history, { withReceipts: true })).toEqual(['receipt_mismatch']);
  },

  'take an API key and log what did not happen': async (history) => {
    await appendAll(history.ctx, [{ action: 'invoice.paid', actor: { type: 'system' } }]);
    await sign(history);
    expect(await codesOf(history)).toEqual([]);
  },

  'never log something': async (history) => {
    const { admin } = history;
    const { rows } = await admin.query('delete from annals.batch where first_index is null returning id');
    await admin.query('delete from annals.activity where batch_id = any($1)', [
      rows.map(({ id }) => id as string),
    ]);
    expect(await noticeOf(history)).toEqual({ by: 'receipts', said: 'receipt_missing' });
  },

  'backdate `occurredAt`': async (history) => {
    const { counts } = await audit(history);
    const signed = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const occurredAt = new Date('2025-02-01T00:00:00.000Z');
    const [receipt] = await appendAll(history.ctx, [
      { action: 'invoice.paid', actor: { type: 'system' }, occurredAt },
    ]);
    await sign(history);
    expect(await codesOf(history)).toEqual([]);
    const { index, record } = await lineOf(history, receipt?.id ?? '');
    // Behind all that was signed before, and with the time at which it was received.
    expect(index).toBeGreaterThanOrEqual(signed);
    expect(record.recordedAt).toEqual(history.core.clock.now());
  },

  'answer a filtered query incompletely': async (history) => {
    const query = { order: 'newest' as const, limit: 500, query: 'actor:user_kept' };
    const list = async () => (await listActivities({ ctx: history.ctx, input: query })).activities.length;
    const whole = await list();
    await history.admin.query('delete from annals.activity where id = $1', [await idOf(history, victim)]);
    expect(await list()).toBe(whole - 1);
    expect(await codesOf(history, nobodyHolds)).toEqual(['index_unexplained']);
  },

  'log an erasure and keep a copy': async (history) => {
    const { admin } = history;
    await admin.query('create table kept.copy as select * from annals.activity');
    await redact(history.ctx, 'actor:user_kept', 'message');
    await sign(history);
    expect(await codesOf(history)).toEqual([]);
    const kept = await admin.query(`select from kept.copy where message like '%user_kept%'`);
    expect(kept.rowCount).toBeGreaterThan(0);
    await admin.query('drop table kept.copy');
  },

  'let an erased value reappear from a restored backup': async (history) => {
    const { admin, core, ctx, dir } = history;
    const messages = async () =>
      (await admin.query(`select from annals.activity where message like '%user_kept%'`)).rowCount;
    const before = await messages();
    await redact(ctx, 'actor:user_kept', 'message');
    await sign(history);
    expect(await messages()).toBe(0);
    await history.restore();
    expect(await messages()).toBe(before);
    await openEpochIn(core.services, { dir, tenantId, principal: ctx.principal });
    await sign(history);
    // That something was lost is told, and that is all.
    expect(await codesOf(history)).toEqual([]);
  },

  'keep the old salts of an erased value, and confirm a guess': async (history) => {
    const { index, record, seed } = await lineOf(history, await idOf(history, victim));
    await redact(history.ctx, 'actor:user_kept', 'message');
    await sign(history);
    expect(await codesOf(history)).toEqual([]);
    const { leaves } = await readBundle(history);
    const isRight = (message: string) =>
      Buffer.compare(commitRecords([{ ...record, message }], seed), leaves[index] ?? Buffer.alloc(0)) === 0;
    expect([isRight(record.message ?? ''), isRight('another guess')]).toEqual([true, false]);
  },
};
