import { type Activity, type AnnalsError, limits, scopes } from '@annals/contract';
import { runJob } from '@annals/core';
import { beginEpoch, sequenceAll, signCheckpoint, testPolicy, testSigningKey } from '@annals/core/testing';
import { anActivity, aTenantId } from '@annals/testkit';
import {
  decodeBase64,
  encodeBase64,
  formatCheckpoint,
  parseCheckpoint,
  parseNote,
  parsePolicy,
  rootOf,
  signNote,
  verifyCheckpoint,
  verifyInclusion,
} from '@annals/tlog';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Annals, createAnnals, type LogResult, receiptLine, VerifyError } from './index.ts';
import { type Fetch, openTestNetwork, type TestNetwork } from './testing.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await openTestNetwork();
});
afterAll(() => network.close());

interface Audited {
  readonly client: Annals;
  readonly tenantId: string;
  readonly policy: string;
  /** Sequence what is committed, and sign it. */
  readonly sign: () => Promise<unknown>;
}

/** A new tenant, whose log begins with the record of its making. */
async function audited(wrap?: (fetch: Fetch) => Fetch): Promise<Audited> {
  const tenantId = aTenantId();
  return {
    client: await network.client({ tenantId, ...(wrap && { wrap }) }),
    tenantId,
    policy: testPolicy(`log.test/${tenantId}`),
    sign: async () => {
      await sequenceAll(network, tenantId);
      return signCheckpoint(network, tenantId);
    },
  };
}

async function refusal(promise: Promise<unknown>): Promise<VerifyError> {
  const error: unknown = await promise.then(
    () => expect.unreachable(),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(VerifyError);
  return error as VerifyError;
}

type Stored = Extract<LogResult['results'][number], { status: 'stored' }>;

function storedOf({ results }: Pick<LogResult, 'results'>): Stored[] {
  return results.filter((item) => item.status === 'stored');
}

describe('a receipt', () => {
  test('names the batch, and the place and leaf of the activity in it; each call makes its own', async () => {
    const { client, sign } = await audited();
    const many = Array.from({ length: limits.activitiesPerCallMax + 5 }, () => anActivity());
    const result = await client.logMany(many);
    expect(result.ack).toBe('committed');
    expect(result.batches.map(({ size }) => size)).toEqual([limits.activitiesPerCallMax, 5]);
    for (const batch of result.batches) {
      const items = storedOf(result)
        .filter(({ batchId }) => batchId === batch.id)
        .toSorted((a, b) => a.position - b.position);
      expect(items.map(({ position }) => position)).toEqual(items.map((_, at) => at));
      expect(encodeBase64(rootOf(items.map(({ leaf }) => decodeBase64(leaf))))).toBe(batch.root);
    }
    await sign();
    const items = storedOf(result);
    for (const { id, leaf } of [items[0], items.at(-1)] as Stored[]) {
      expect((await client.integrity.proof(id)).leaf).toBe(leaf);
    }
  });

  test('is a line of the file that is verified later', async () => {
    const { client, tenantId } = await audited();
    const [item] = storedOf(await client.logMany([anActivity()]));
    const { id, batchId, position, leaf } = item as Stored;
    const line = receiptLine(tenantId, item as Stored);
    expect(JSON.parse(line)).toEqual({ tenantId, id, batchId, position, leaf });
    expect(line.endsWith('}\n')).toBe(true);
  });

  test('of a retry after a lost answer is had from the proof', async () => {
    const { client, sign } = await audited();
    const activity = anActivity();
    const { id, occurredAt } = await client.log(activity);
    const again = await client.log({ ...activity, id, occurredAt }, { ack: 'committed' });
    expect(again).toEqual({ status: 'duplicate', id, occurredAt, ack: 'committed' });
    await sign();
    expect(await client.integrity.proof(again.id)).toMatchObject({ index: 1, own: false });
  });

  test('comes with the checkpoint and the proof where that was asked for', async () => {
    const { client, sign, policy } = await audited();
    const logging = client.logMany([anActivity(), anActivity()], { ack: 'sequenced' });
    const single = client.log(anActivity(), { ack: 'sequenced' });
    const settled = vi.fn<() => void>();
    void Promise.all([logging, single]).then(settled);
    await vi.waitFor(async () => {
      await sign();
      expect(settled).toHaveBeenCalled();
    }, 15_000);
    const result = await logging;
    expect(result.ack).toBe('sequenced');
    for (const { leaf, index, proof, checkpoint } of [
      ...storedOf(result).map((item) => ({ ...item, checkpoint: result.batches[0]?.checkpoint })),
      (await single) as Stored & { checkpoint: string },
    ]) {
      const signed = verifyCheckpoint(parseNote(checkpoint ?? ''), parsePolicy(policy)).checkpoint;
      verifyInclusion({
        ...signed,
        index: index ?? -1,
        leafHash: decodeBase64(leaf),
        proof: (proof ?? []).map(decodeBase64),
      });
    }
    expect(await single).toMatchObject({ ack: 'sequenced', status: 'stored' });
  });
});

describe('verify', () => {
  test('proves every field of an activity under the policy', async () => {
    const { client, sign, policy, tenantId } = await audited();
    const { id } = await client.log({
      ...anActivity(),
      metadata: { plan: 'pro', 'odd key': 1 },
      subject: { id: 'grace' },
      tags: ['a'],
    });
    await sign();
    const activity = await client.get(id);
    const report = await client.verify(activity, { policy });
    expect(report).toMatchObject({
      id,
      origin: `log.test/${tenantId}`,
      index: 1,
      size: 2,
      own: false,
      withheld: [],
      erased: [],
      witnesses: [],
      verified: expect.arrayContaining([
        'actor.id',
        'metadata.plan',
        'metadata."odd key"',
        'subject.id',
        'tags',
      ]),
    });
    expect(await client.verify(id, { policy })).toEqual(report);
  });

  test('tells what is masked, and what was erased', async () => {
    const { client, sign, policy, tenantId } = await audited();
    const { id } = await client.log({ ...anActivity(), message: 'secret', metadata: { a: 1, b: 2 } });
    const before = await client.get(id);
    const plan = await client.privacy.planRedact({ fields: ['message', 'metadata.a'] });
    const job = await client.privacy.applyRedact({ planId: plan.id });
    await runJob(network.services, { tenantId, jobId: job.id });
    await sign();
    const report = await client.verify(id, { policy });
    expect(report.erased).toEqual(['message', 'metadata.a']);
    expect(report.verified).toContain('metadata.b');
    // What was read before the erasure, nothing proves any more.
    expect((await refusal(client.verify(before, { policy }))).reason).toBe('changed');

    const principal = { keyId: 'k'.repeat(16), keyName: 'reader', tenantId };
    const masked = createAnnals({
      url: 'http://annals.test',
      fetch: network.fetchAs({ ...principal, scopes: scopes.filter((scope) => scope !== 'personal:read') }),
    });
    expect(await masked.verify(id, { policy })).toMatchObject({
      withheld: ['actor.label', 'context.ip', 'context.userAgent'],
      erased: ['message', 'metadata.a'],
    });
  });

  test('refuses an activity of which anything was changed', async () => {
    const { client, sign, policy } = await audited();
    const { id } = await client.log({ ...anActivity(), metadata: { plan: 'pro' }, tags: ['a', 'b'] });
    await sign();
    const activity = await client.get(id);
    const changes: Partial<Activity>[] = [
      { action: 'invoice.paid' },
      { severity: 'critical' },
      { actor: { ...activity.actor, id: 'mallory' } },
      { actor: { type: activity.actor.type } },
      { message: 'other' },
      { metadata: { plan: 'free' } },
      { metadata: {} },
      { metadata: { plan: 'pro', more: 1 } },
      { tags: ['b', 'a'] },
      { details: { a: 1 } },
      { subject: { id: 'x' } },
      { recordedAt: new Date(activity.recordedAt.getTime() + 1) },
      { occurredAt: new Date(activity.occurredAt.getTime() + 1) },
      { erased: ['message'] },
    ];
    for (const change of changes) {
      const { reason } = await refusal(client.verify({ ...activity, ...change }, { policy }));
      expect([change, reason]).toEqual([change, 'changed']);
    }
    const moved = await refusal(client.verify({ ...activity, tenantId: 'other' }, { policy }));
    expect(moved.reason).toBe('untrusted');
  });

  test('refuses every answer that was tampered with', async () => {
    let change: Record<string, unknown> = {};
    const { client, sign, policy, tenantId } = await audited((fetch) => async (url, init) => {
      const response = await fetch(url, init);
      if (!url.endsWith('integrity.proof')) return response;
      const { result } = (await response.json()) as { result: { data: { json: Record<string, unknown> } } };
      return Response.json({ result: { data: { json: { ...result.data.json, ...change } } } });
    });
    const [first = '', second = ''] = storedOf(await client.logMany([anActivity(), anActivity()])).map(
      ({ id }) => id,
    );
    await sign();
    const other = await client.integrity.proof(second);
    const zeros = encodeBase64(new Uint8Array(32));
    const forgedNote = signNote(
      formatCheckpoint({
        ...parseCheckpoint(parseNote(other.note).text),
        root: new Uint8Array(32),
      }),
      [{ ...testSigningKey(`log.test/${tenantId}`), seed: new Uint8Array(32) }],
    );
    const cases: [Record<string, unknown>, string][] = [
      [{ ...other }, 'changed'],
      [{ index: 0 }, 'missing'],
      [{ index: other.index }, 'missing'],
      [{ index: 7 }, 'missing'],
      [{ hashes: [] }, 'missing'],
      [{ hashes: [zeros] }, 'missing'],
      [{ leaf: zeros }, 'changed'],
      [{ own: true }, 'changed'],
      [{ seed: encodeBase64(new Uint8Array(16)) }, 'changed'],
      [{ seed: undefined }, 'changed'],
      [{ seed: undefined, openings: 'AAAA' }, 'malformed'],
      [{ note: forgedNote }, 'untrusted'],
      [{ note: other.note.replace('\n3\n', '\n4\n') }, 'untrusted'],
      [{ note: 'nothing' }, 'untrusted'],
      [{ epoch: 2 }, 'untrusted'],
      [{ hashes: 'x' }, 'malformed'],
      [{ leaf: 5 }, 'malformed'],
    ];
    for (const [tampered, reason] of cases) {
      change = tampered;
      expect([change, (await refusal(client.verify(first, { policy }))).reason]).toEqual([change, reason]);
    }
    change = {};
    expect(await client.verify(first, { policy })).toMatchObject({ id: first });
  });

  test('asks for a log that goes on from the checkpoint kept', async () => {
    const { client, sign, policy } = await audited();
    const { id } = await client.log(anActivity());
    await sign();
    const { note: kept } = await client.verify(id, { policy });
    await client.logMany([anActivity(), anActivity()]);
    await sign();
    const later = await client.verify(id, { policy, checkpoint: kept });
    expect(later).toMatchObject({ index: 1, size: 4 });
    expect(await client.verify(id, { policy, checkpoint: later.note })).toEqual(later);

    // Signed by the same key: what a log that was rewritten would have shown.
    const { origin } = later;
    const sign2 = (size: number) =>
      signNote(formatCheckpoint({ origin, size, root: new Uint8Array(32), extensions: [] }), [
        testSigningKey(origin),
      ]);
    for (const size of [1, 2, 4, 5]) {
      const { reason } = await refusal(client.verify(id, { policy, checkpoint: sign2(size) }));
      expect(reason).toBe('rewritten');
    }
  });

  test('takes the policy for the first epoch of a log for those that follow', async () => {
    const { client, tenantId, policy, sign } = await audited();
    const before = await client.log(anActivity());
    await sign();
    const first = await client.verify(before.id, { policy });
    await beginEpoch(network, tenantId);
    const { id } = await client.log(anActivity());
    await sign();
    const second = await client.verify(id, { policy });
    expect(second).toMatchObject({ origin: `log.test/${tenantId}/e2`, index: 0 });
    expect(await client.verify(id, { policy, checkpoint: second.note })).toEqual(second);
    const { reason } = await refusal(client.verify(id, { policy, checkpoint: first.note }));
    expect(reason).toBe('rewritten');
  });

  test('takes no checkpoint of a key that the policy does not list, and no policy that is none', async () => {
    const { client, sign } = await audited();
    const { id } = await client.log(anActivity());
    const unsigned = client.verify(id, { policy: testPolicy('log.test/x') });
    await expect(unsigned).rejects.toMatchObject({
      code: 'not_signed',
      status: 409,
    } satisfies Partial<AnnalsError>);
    await sign();
    const { reason } = await refusal(client.verify(id, { policy: testPolicy('log.test/x') }));
    expect(reason).toBe('untrusted');
    await expect(client.verify(id, { policy: 'log' })).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'policy',
    });
    const options = { policy: testPolicy('log.test/x'), checkpoint: 'x' };
    await expect(client.verify(id, options)).rejects.toMatchObject({ path: 'checkpoint' });
    const changed = { ...(await client.get(id)), more: 1 } as Activity;
    await expect(client.verify(changed, { policy: testPolicy('log.test/x') })).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'activity',
    });
  });
});

describe("the log's own answers", () => {
  test('checkpoints of any time, and consistency between them', async () => {
    const { client, sign, policy } = await audited();
    await expect(client.integrity.checkpoint()).rejects.toMatchObject({ code: 'not_found' });
    await client.log(anActivity());
    await sign();
    await client.logMany([anActivity(), anActivity()]);
    await sign();
    const newest = await client.integrity.checkpoint();
    const oldest = await client.integrity.checkpoint({ size: 2 });
    expect([oldest.size, newest.size, newest.epoch]).toEqual([2, 4, 1]);
    expect(parsePolicy(policy).logs.map(({ key }) => key.name)).toEqual([newest.origin]);
    expect(newest.verifierKeys).toHaveLength(1);
    await expect(client.integrity.checkpoint({ size: 3 })).rejects.toMatchObject({
      code: 'not_found',
      path: 'size',
    });
    await expect(client.integrity.checkpoint({ epoch: 2 })).rejects.toMatchObject({ path: 'epoch' });
    expect(await client.integrity.consistency({ from: 1 })).toMatchObject({ from: 1, to: 4 });
    for (const [input, path, limit] of [
      [{ from: 5 }, 'from', 4],
      [{ from: 2, to: 1 }, 'from', 1],
      [{ from: 1, to: 5 }, 'to', 4],
    ] as const) {
      await expect(client.integrity.consistency(input)).rejects.toMatchObject({
        code: 'invalid_input',
        path,
        limit,
      });
    }
    expect(decodeBase64(await client.integrity.tile('tile/0/000.p/4'))).toHaveLength(128);
    await expect(client.integrity.tile('tile/0/0')).rejects.toMatchObject({
      code: 'invalid_input',
      path: 'path',
    });
    await expect(client.integrity.tile('tile/0/000.p/5')).rejects.toMatchObject({ code: 'not_found' });
    await expect(client.integrity.tile('x'.repeat(65))).rejects.toMatchObject({ path: 'path', limit: 64 });
  });
});
