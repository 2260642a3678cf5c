import type { ActivityInput, StatsInput, StatsResult } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { statsActivities } from './stats.ts';
import { storeAll } from './testing.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

function stats(ctx: Context, input: Partial<StatsInput> = {}): Promise<StatsResult> {
  return statsActivities({ ctx, input: { groupBy: [], timeZone: 'UTC', limit: 1_000, ...input } });
}

const at = (...times: string[]) =>
  times.map((time): ActivityInput => ({ action: 'x', actor: { type: 'user' }, occurredAt: time }));

/** `from` in the time zone, and the count. */
async function series(times: string[], input: Partial<StatsInput>): Promise<[from: string, count: number][]> {
  const ctx = core.context();
  await storeAll(ctx, at(...times));
  const { rows } = await stats(ctx, input);
  return rows.map(({ from, count }) => [from?.toISOString() ?? '', count]);
}

describe('groups', () => {
  test('none: one row with the total, also of nothing', async () => {
    const ctx = core.context();
    expect(await stats(ctx)).toEqual({ rows: [{ group: {}, count: 0 }], truncated: false });
    await storeAll(ctx, [anActivity(), anActivity()]);
    expect(await stats(ctx)).toEqual({ rows: [{ group: {}, count: 2 }], truncated: false });
  });

  test('by dimensions: largest counts first, null where a record has no value', async () => {
    const ctx = core.context();
    await storeAll(ctx, [
      { ...anActivity(), scopeId: 's' },
      { ...anActivity(), scopeId: 's' },
      anActivity({ action: 'b' }),
      anActivity({ action: 'a' }),
    ]);
    expect(await stats(ctx, { groupBy: ['scope', 'action'] })).toEqual({
      rows: [
        { group: { scope: 's', action: 'invoice.voided' }, count: 2 },
        { group: { scope: null, action: 'a' }, count: 1 },
        { group: { scope: null, action: 'b' }, count: 1 },
      ],
      truncated: false,
    });
  });

  test('by every dimension', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity()]);
    const values: Record<string, string | null> = {
      action: 'invoice.voided',
      actor: 'user_ada',
      actorType: 'user',
      targetType: 'invoice',
      target: 'inv_1042',
      kind: 'activity',
      severity: 'info',
      outcome: 'success',
      visibility: 'internal',
      channel: null,
      scope: null,
      operation: null,
    };
    for (const [name, value] of Object.entries(values)) {
      const { rows } = await stats(ctx, { groupBy: [name as StatsInput['groupBy'][number]] });
      expect(rows).toEqual([{ group: { [name]: value }, count: 1 }]);
    }
  });

  test('beyond the limit are left out, and it says so', async () => {
    const ctx = core.context();
    await storeAll(
      ctx,
      ['a', 'b', 'b', 'c', 'c', 'c'].map((action) => anActivity({ action })),
    );
    const rows = ['c', 'b'].map((action, index) => ({ group: { action }, count: 3 - index }));
    expect(await stats(ctx, { groupBy: ['action'], limit: 2 })).toEqual({ rows, truncated: true });
    expect(await stats(ctx, { groupBy: ['action'], limit: 3 })).toMatchObject({ truncated: false });
  });

  test('count what a filter selects, in the own tenant', async () => {
    const ctx = core.context();
    await storeAll(ctx, [anActivity(), anActivity({ action: 'other' })]);
    await storeAll(core.context(), [anActivity()]);
    expect(await stats(ctx, { query: 'action:invoice.*' })).toMatchObject({ rows: [{ count: 1 }] });
  });
});

function occurred(time: string, action: string) {
  return anActivity({ action, occurredAt: new Date(time) });
}

describe('intervals', () => {
  test('come in time order, and within one the largest counts first', async () => {
    const ctx = core.context();
    await storeAll(ctx, [
      occurred('2026-02-01T00:00:00Z', 'b'),
      occurred('2026-02-01T01:00:00Z', 'b'),
      occurred('2026-02-01T02:00:00Z', 'a'),
      occurred('2026-01-31T23:59:59.999Z', 'a'),
    ]);
    expect((await stats(ctx, { groupBy: ['action'], interval: 'day' })).rows).toEqual([
      { from: new Date('2026-01-31T00:00:00Z'), group: { action: 'a' }, count: 1 },
      { from: new Date('2026-02-01T00:00:00Z'), group: { action: 'b' }, count: 2 },
      { from: new Date('2026-02-01T00:00:00Z'), group: { action: 'a' }, count: 1 },
    ]);
  });

  test('by week begin on Monday, by month on the first', async () => {
    const times = ['2026-06-07T23:59:59Z', '2026-06-08T00:00:00Z', '2026-06-14T23:59:59Z'];
    expect(await series(times, { interval: 'week' })).toEqual([
      ['2026-06-01T00:00:00.000Z', 1],
      ['2026-06-08T00:00:00.000Z', 2],
    ]);
    expect(await series(times, { interval: 'month' })).toEqual([['2026-06-01T00:00:00.000Z', 3]]);
  });

  const berlin = { timeZone: 'Europe/Berlin' };

  test('the day on which Berlin puts the clock forward has 23 hours', async () => {
    const times = [
      '2026-03-28T22:59:59.999Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T21:59:59.999Z',
      '2026-03-29T22:00:00Z',
    ];
    expect(await series(times, { interval: 'day', ...berlin })).toEqual([
      ['2026-03-27T23:00:00.000Z', 1],
      ['2026-03-28T23:00:00.000Z', 2],
      ['2026-03-29T22:00:00.000Z', 1],
    ]);
  });

  test('the day on which Berlin puts the clock back has 25 hours, two of them called 2', async () => {
    const times = [
      '2025-10-25T21:59:59.999Z',
      '2025-10-25T22:00:00Z',
      '2025-10-26T00:30:00Z',
      '2025-10-26T01:30:00Z',
      '2025-10-26T22:59:59.999Z',
      '2025-10-26T23:00:00Z',
    ];
    expect(await series(times, { interval: 'day', ...berlin })).toEqual([
      ['2025-10-24T22:00:00.000Z', 1],
      ['2025-10-25T22:00:00.000Z', 4],
      ['2025-10-26T23:00:00.000Z', 1],
    ]);
    expect((await series(times, { interval: 'hour', ...berlin })).slice(2, 4)).toEqual([
      ['2025-10-26T00:00:00.000Z', 1],
      ['2025-10-26T01:00:00.000Z', 1],
    ]);
  });

  test('a zone that shares its name with an abbreviation keeps its daylight saving time', async () => {
    expect(await series(['2026-06-15T11:00:00Z'], { interval: 'day', timeZone: 'CET' })).toEqual([
      ['2026-06-14T22:00:00.000Z', 1],
    ]);
  });

  test('hours of a zone half an hour off begin where they begin there', async () => {
    expect(await series(['2026-06-15T11:45:00Z'], { interval: 'hour', timeZone: 'Asia/Kolkata' })).toEqual([
      ['2026-06-15T11:30:00.000Z', 1],
    ]);
  });

  test('a zone that the database does not know is refused by name', async () => {
    const unknown = stats(core.context(), { interval: 'day', timeZone: 'Europe/Atlantis' });
    await expect(unknown).rejects.toMatchObject({ code: 'invalid_input', path: 'timeZone' });
  });

  test('every zone that the contract takes, the database knows too, but for a few', async () => {
    const refused: string[] = [];
    for (const timeZone of Intl.supportedValuesOf('timeZone')) {
      await stats(core.context(), { interval: 'day', timeZone }).catch((error: { code: string }) => {
        expect(error.code).toBe('invalid_input');
        refused.push(timeZone);
      });
    }
    expect(refused.length).toBeLessThan(5);
  });
});
