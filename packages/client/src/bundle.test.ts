import { sequenceAll, signCheckpoint } from '@annals/core/testing';
import { anActivity, aTenantId } from '@annals/testkit';
import { verifyAuditBundle } from '@annals/tlog';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fetch, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return read;
}

async function audited(wrap?: (fetch: Fetch) => Fetch) {
  const tenantId = aTenantId();
  const client = await network.client({ tenantId, ...(wrap && { wrap }) });
  return {
    client,
    sign: async () => {
      await client.logMany([anActivity(), anActivity()]);
      await sequenceAll(network, tenantId);
      return signCheckpoint(network, tenantId);
    },
  };
}

describe('a bundle', () => {
  test('comes as bytes that verify', async () => {
    const { client, sign } = await audited();
    const { policy } = await sign();
    const report = await verifyAuditBundle(client.bundle(), { policy, now: new Date() });
    expect(report).toMatchObject({ verdict: 'valid', counts: { unexplained: 0 } });
  });

  test('is refused with the reason while nothing is signed', async () => {
    const { client } = await audited();
    await expect(all(client.bundle())).rejects.toMatchObject({ code: 'not_found' });
  });

  test('is begun again when the way to the server fails, and not once it has begun', async () => {
    let calls = 0;
    let broken = false;
    const { client, sign } = await audited((fetch) => async (url, init) => {
      if (!url.includes('/api/v1/bundle')) return fetch(url, init);
      calls += 1;
      if (calls === 1) throw new TypeError('fetch failed');
      const response = await fetch(url, init);
      if (!broken) return response;
      const reader = response.body?.getReader();
      const body = new ReadableStream({
        start: async (controller) => controller.enqueue((await reader?.read())?.value),
        pull: async (controller) => {
          await reader?.cancel();
          controller.error(new TypeError('terminated'));
        },
      });
      return new Response(body, response);
    });
    await sign();
    expect(await all(client.bundle())).not.toHaveLength(0);
    expect(calls).toBe(2);
    broken = true;
    await expect(all(client.bundle())).rejects.toMatchObject({ code: 'unavailable' });
    expect(calls).toBe(3);
  });

  test('ends when its caller stops, or aborts', async () => {
    const { client, sign } = await audited();
    await sign();
    for await (const bytes of client.bundle()) {
      expect(bytes.length).toBeGreaterThan(0);
      break;
    }
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(all(client.bundle({ signal }))).rejects.toThrow('enough');
  });
});
