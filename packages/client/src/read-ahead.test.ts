import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fetch, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

/** Lets each call of an export pass when it is told to. */
function gate() {
  const waiting: (() => void)[] = [];
  let asked = Promise.withResolvers<void>();
  const wrap =
    (fetch: Fetch): Fetch =>
    async (url, init) => {
      if (!url.endsWith('/activity.export')) return fetch(url, init);
      const passed = Promise.withResolvers<void>();
      waiting.push(passed.resolve);
      asked.resolve();
      asked = Promise.withResolvers();
      await passed.promise;
      return fetch(url, init);
    };
  const nextAsked = async (count: number) => {
    while (waiting.length < count) await asked.promise;
  };
  return { waiting, wrap, nextAsked };
}

/** Of the calls of an export only the first is answered. */
function failingLater(fetch: Fetch): Fetch {
  let calls = 0;
  return (url, init) => {
    if (!url.endsWith('/activity.export') || ++calls === 1) return fetch(url, init);
    return Promise.resolve(new Response('', { status: 404 }));
  };
}

async function exporting(count: number) {
  const calls = gate();
  const client = await network.client({ wrap: calls.wrap });
  const activities = Array.from({ length: count }, (_, at) => ({
    action: 'a.b',
    actor: { type: 'user' as const },
    metadata: { at },
  }));
  await client.logMany(activities);
  const pages = client.export('action:a.b', { pageSize: 2 }).pages()[Symbol.asyncIterator]();
  return { ...calls, pages };
}

describe('an export', () => {
  test('asks for the next page while one is in use, and for no further one', async () => {
    const { pages, waiting, nextAsked } = await exporting(6);
    const first = pages.next();
    await nextAsked(1);
    waiting[0]?.();
    expect((await first).value?.activities).toHaveLength(2);
    await nextAsked(2);
    waiting[1]?.();
    await pages.next();
    await nextAsked(3);
    waiting[2]?.();
    await pages.next();
    expect(await pages.next()).toMatchObject({ done: true });
    expect(waiting).toHaveLength(3);
  });

  test('that is ended early waits for the page that is on its way', async () => {
    const { pages, waiting, nextAsked } = await exporting(4);
    const first = pages.next();
    await nextAsked(1);
    waiting[0]?.();
    await first;
    await nextAsked(2);
    let ended = false;
    const ending = pages.return?.().then(() => (ended = true));
    expect(ended).toBe(false);
    waiting[1]?.();
    await ending;
    expect(waiting).toHaveLength(2);
  });

  test('whose next page fails tells so after the page before it was used', async () => {
    const client = await network.client({ wrap: failingLater });
    await client.logMany(
      Array.from({ length: 3 }, () => ({ action: 'a.b', actor: { type: 'user' as const } })),
    );
    const seen: number[] = [];
    const whole = (async () => {
      for await (const page of client.export('action:a.b', { pageSize: 2 }).pages())
        seen.push(page.activities.length);
    })();
    await expect(whole).rejects.toThrow();
    expect(seen).toEqual([2]);
  });
});
