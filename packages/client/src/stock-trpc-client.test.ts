import type { AnnalsRouter } from '@annals/server';
import { anActivity } from '@annals/testkit';
import {
  createTRPCClient,
  type HTTPLinkOptions,
  httpBatchLink,
  httpLink,
  TRPCClientError,
} from '@trpc/client';
import * as superjson from 'superjson';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
let options: Pick<HTTPLinkOptions<AnnalsRouter['_def']['_config']['$types']>, 'url' | 'transformer'> & {
  headers: Record<string, string>;
  fetch: (url: unknown, init: unknown) => Promise<Response>;
};
beforeAll(async () => {
  network = await openTestNetwork();
  const admin = await network.client({ tenantId: 'stock' });
  const { secret } = await admin.keys.create({
    name: 'stock',
    scopes: ['activities:write', 'activities:read'],
  });
  options = {
    url: 'http://annals.test/trpc',
    transformer: superjson,
    headers: { authorization: `Bearer ${secret}` },
    fetch: (url, init) => network.fetchWithKeys(String(url), init as RequestInit),
  };
});
afterAll(() => network.close());

test("tRPC's own client, with superjson, is typed by the router and reads dates as dates", async () => {
  for (const link of [httpLink(options), httpLink({ ...options, methodOverride: 'POST' })]) {
    const client = createTRPCClient<AnnalsRouter>({ links: [link] });
    // One object shared by two activities, which superjson marks as a reference.
    const { actor, metadata: _, ...fields } = anActivity({ kind: 'activity' as const });
    const { results } = await client.activity.log.mutate({
      activities: [
        { ...fields, actor },
        { ...fields, actor, id: anActivity().id },
      ],
    });
    expect(results.map(({ status }) => status)).not.toContain('refused');
    const page = await client.activity.list.query({ query: 'action:invoice.voided' });
    expect(page.activities[0]?.occurredAt).toEqual(fields.occurredAt);
  }
});

test("tRPC's own client can batch, and finds the contract's error in `data.annals`", async () => {
  const client = createTRPCClient<AnnalsRouter>({ links: [httpBatchLink(options)] });
  const [counted, refused] = await Promise.allSettled([
    client.activity.count.query({}),
    client.key.list.query({}),
  ]);
  expect(counted).toMatchObject({ status: 'fulfilled', value: { capped: false } });
  const { reason } = refused as PromiseRejectedResult;
  expect(reason).toBeInstanceOf(TRPCClientError);
  expect((reason as TRPCClientError<AnnalsRouter>).data?.annals.code).toBe('forbidden');
});
