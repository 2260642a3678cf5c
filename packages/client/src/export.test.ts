import { operatorPrincipal } from '@annals/server';
import { aTenantId } from '@annals/testkit';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnnals } from './create-annals.ts';
import { type Fetch, noPauses, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

/** Answers of exports come in pieces of these sizes, the last of which is followed by a broken connection. */
function inPieces(cuts: readonly (readonly number[])[]) {
  let answers = 0;
  const wrap =
    (fetch: Fetch): Fetch =>
    async (url, init) => {
      if (!url.endsWith('/api/v1/export')) return fetch(url, init);
      const response = await fetch(url, init);
      const sizes = cuts[answers++];
      if (!sizes || !response.ok) return response;
      const bytes = new Uint8Array(await response.arrayBuffer());
      let from = 0;
      let piece = 0;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          const size = sizes[piece++];
          if (size === undefined) return controller.error(new TypeError('terminated'));
          controller.enqueue(bytes.slice(from, from + size));
          from += size;
        },
      });
      return new Response(body, { headers: response.headers });
    };
  return { wrap, answers: () => answers };
}

const activities = Array.from({ length: 25 }, (_, at) => ({
  action: 'a.b',
  actor: { type: 'user' as const, label: `Ünï 😀 ${at}` },
  metadata: { at },
}));

/** A tenant with activities, and two clients of it: one with `wrap` between it and the server. */
async function exporting(wrap: (fetch: Fetch) => Fetch) {
  const tenantId = aTenantId();
  const plain = await network.client({ tenantId });
  await plain.logMany(activities);
  return { tenantId, plain, client: clientOf(tenantId, wrap) };
}

function clientOf(tenantId: string, wrap: (fetch: Fetch) => Fetch) {
  const fetch = wrap(network.fetchAs(operatorPrincipal()));
  return createAnnals({ url: 'http://annals.test', fetch, tenantId, retry: noPauses });
}

async function all(list: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of list);
}

describe('an export', () => {
  test('has each activity once, wherever its answers break off', async () => {
    const { plain, tenantId } = await exporting((fetch) => fetch);
    const listed: unknown[] = [];
    for await (const activity of plain.list('action:a.b', { order: 'oldest' })) listed.push(activity);
    const cuts = fc.array(fc.array(fc.integer({ min: 1, max: 4_000 }), { maxLength: 4 }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 1, max: 30 }), async (sizes, pageSize) => {
        const pieces = inPieces(sizes);
        const client = clientOf(tenantId, pieces.wrap);
        const exported: unknown[] = [];
        for await (const page of client.export('action:a.b', { order: 'oldest', pageSize }).pages()) {
          expect(page.activities.length).toBeLessThanOrEqual(pageSize);
          exported.push(...page.activities);
        }
        expect(exported).toEqual(listed);
        expect(pieces.answers()).toBe(sizes.length + 1);
      }),
      { numRuns: 20 },
    );
  });

  test('is recorded once, however often its answer breaks off', async () => {
    const { client } = await exporting(inPieces([[], [3_000], [10, 10]]).wrap);
    let count = 0;
    for await (const lines of client.export('action:a.b').lines()) count += lines.count;
    expect(count).toBe(25);
    expect(await client.count('action:annals.exported')).toMatchObject({ count: 1 });
  });

  test('goes on from the cursor of a page, and tells of none behind its last', async () => {
    const { client } = await exporting((fetch) => fetch);
    const pages = client.export('action:a.b', { pageSize: 20 }).pages()[Symbol.asyncIterator]();
    const first = (await pages.next()).value;
    await pages.return?.();
    const rest: unknown[] = [];
    for await (const page of client.export('action:a.b', { cursor: first?.next }).pages()) rest.push(page);
    expect(rest).toMatchObject([{ activities: { length: 5 } }]);
    expect(rest[0]).not.toHaveProperty('next');
  });

  test('that keeps breaking off, or is refused, fails with the reason', async () => {
    const broken = await exporting((fetch) => async (url, init) => {
      if (!url.endsWith('/api/v1/export')) return fetch(url, init);
      throw new TypeError('fetch failed');
    });
    await expect(all(broken.client.export())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(all(broken.plain.export('severity:'))).rejects.toMatchObject({ code: 'invalid_query' });
    const pieces = inPieces(Array.from({ length: 50 }, () => []));
    const { client } = await exporting(pieces.wrap);
    await expect(all(client.export())).rejects.toMatchObject({ code: 'unavailable' });
    expect(pieces.answers()).toBe(5);
  });
});
