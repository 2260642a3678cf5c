import type { CertificateResult } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { type Certificate, formatCertificate, parsePolicy, verifyCertificate } from '@annals/tlog';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../context.ts';
import { cancelJob } from '../job/cancel-job.ts';
import { getJob } from '../job/get-job.ts';
import { seed } from '../job/testing.ts';
import { sealDueManifests } from '../manifest/seal-due-manifests.ts';
import { anonymizePerson, purgeBy, redactFields } from '../manifest/testing.ts';
import { applyAnonymize } from '../privacy/apply-anonymize.ts';
import { planAnonymize } from '../privacy/plan-anonymize.ts';
import { openTestCore, sequenceAll, signCheckpoint, type TestCore } from '../testing.ts';
import { getCertificate } from './get-certificate.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

const person = { type: 'user' as const, id: 'usr_certified', label: 'Cara Tiffany' };

async function aTenant(): Promise<Context> {
  const ctx = core.context();
  await seed(ctx, [
    anActivity({ actor: person, occurredAt: new Date('2026-03-01T12:00:00Z') }),
    anActivity({
      occurredAt: new Date('2026-06-10T12:00:00Z'),
      message: 'asked by usr_certified',
      metadata: { approver: 'Cara Tiffany' },
    }),
    anActivity({ occurredAt: new Date('2026-06-11T12:00:00Z') }),
  ]);
  return ctx;
}

async function sign(ctx: Context): Promise<string> {
  await sequenceAll(core, ctx.tenantId);
  return (await signCheckpoint(core, ctx.tenantId)).policy;
}

function fileOf(certificate: CertificateResult): string {
  return formatCertificate(certificate as unknown as Certificate);
}

function verify(certificate: CertificateResult | string, policy: string) {
  const text = typeof certificate === 'string' ? certificate : fileOf(certificate);
  return verifyCertificate({ text, policy: parsePolicy(policy), now: core.clock.now() });
}

/** What its verification says while the manifest is open, and when all is sealed and signed. */
async function certify(ctx: Context, jobId: string) {
  const open = verify(await getCertificate({ ctx, input: { jobId } }), await sign(ctx));
  await sealDueManifests({ ...core.services, manifestIntervalMs: 0 });
  const policy = await sign(ctx);
  return { open, policy, certificate: await getCertificate({ ctx, input: { jobId } }) };
}

describe('a certificate', () => {
  test('of an anonymize is pending until its manifest is sealed and signed, then valid', async () => {
    const ctx = await aTenant();
    const unsigned = await getCertificate({ ctx, input: { jobId: (await anonymizePerson(ctx, person)).id } });
    const { open, policy, certificate } = await certify(ctx, unsigned.job.id);
    expect(verify(unsigned, policy)).toMatchObject({ outcome: 'pending' });
    expect(open).toMatchObject({ outcome: 'pending' });
    expect(verify(certificate, policy)).toMatchObject({ outcome: 'valid', findings: [] });
    expect(certificate).toMatchObject({
      job: { kind: 'anonymize', mode: 'anonymize', status: 'completed' },
      account: {
        tables: { activity: { changed: 2 } },
        held: 0,
        residual: { matches: 0, places: {} },
      },
    });
    expect(JSON.stringify(certificate).toLowerCase()).not.toMatch(/usr_certified|cara tiffany/);
  });

  test('of a redact and of a purge is valid too', async () => {
    const ctx = await aTenant();
    const redacted = await redactFields(ctx, { fields: ['message'] });
    const purged = await purgeBy(ctx, [{ name: 'old', keepDays: 30, since: 'occurredAt' }]);
    const { policy } = await certify(ctx, redacted.id);
    for (const { id } of [redacted, purged]) {
      const certificate = await getCertificate({ ctx, input: { jobId: id } });
      expect(verify(certificate, policy).findings).toEqual([]);
    }
    const { account } = await getCertificate({ ctx, input: { jobId: purged.id } });
    expect(account).toMatchObject({ tables: { activity: { removed: 1 } }, policies: { old: 1 } });
  });

  test('holds for a job that changed nothing, and for one that was cancelled', async () => {
    const ctx = await aTenant();
    const nothing = await redactFields(ctx, { query: 'actor:nobody', fields: ['message'] });
    const input = { ids: [person.id], identifiers: [], learn: true, except: [], mode: 'anonymize' as const };
    const { id: planId } = await planAnonymize({ ctx, input });
    const job = await applyAnonymize({ ctx, input: { planId, driftMax: 0 } });
    await expect(getCertificate({ ctx, input: { jobId: job.id } })).rejects.toMatchObject({
      code: 'job_not_ended',
    });
    await cancelJob({ ctx, input: job });
    const policy = await sign(ctx);
    for (const { id } of [nothing, job]) {
      const certificate = await getCertificate({ ctx, input: { jobId: id } });
      expect(verify(certificate, policy)).toMatchObject({ outcome: 'valid', findings: [] });
      expect(certificate.account).toMatchObject({ tables: { activity: { changed: 0 } } });
    }
  });

  test('with another byte in any place is invalid', async () => {
    const ctx = await aTenant();
    const { policy, certificate } = await certify(ctx, (await anonymizePerson(ctx, person)).id);
    // Most bytes of the one with line breaks are those of the other.
    for (const [text, stride] of [
      [fileOf(certificate), 23],
      [JSON.stringify(certificate), 7],
    ] as const) {
      expect(verify(text, policy).outcome).toBe('valid');
      const passed: string[] = [];
      for (let at = 0; at < text.length; at += stride) {
        const changed = changedAt(text, at);
        if (verify(changed, policy).outcome !== 'invalid') passed.push(changed.slice(at - 20, at + 20));
      }
      expect(passed).toEqual([]);
    }
  });

  test('of another log, or by a key that the verifier does not trust, is invalid', async () => {
    const [ctx, other] = [await aTenant(), await aTenant()];
    const { certificate, policy } = await certify(ctx, (await anonymizePerson(ctx, person)).id);
    const elsewhere = await sign(other);
    expect(verify(certificate, elsewhere).outcome).toBe('invalid');
    expect(verify({ ...certificate, tenantId: other.tenantId }, policy).outcome).toBe('invalid');
  });

  test('that calls an erasure of a person another kind of job is invalid', async () => {
    const ctx = await aTenant();
    const { policy, certificate } = await certify(ctx, (await anonymizePerson(ctx, person)).id);
    const { job } = certificate;
    for (const kind of ['redact', 'retention'] as const) {
      expect(verify({ ...certificate, job: { ...job, kind } }, policy).outcome).toBe('invalid');
    }
  });

  test('withholds who asked for it from a key that sees no personal fields, and holds all the same', async () => {
    const ctx = await aTenant();
    const { id } = await anonymizePerson(ctx, person);
    const { policy } = await certify(ctx, id);
    const masked = core.context({ tenantId: ctx.tenantId, principal: { scopes: ['privacy'] } });
    const certificate = await getCertificate({ ctx: masked, input: { jobId: id } });
    expect(verify(certificate, policy)).toMatchObject({ outcome: 'valid', findings: [] });
    expect(certificate.requested).not.toHaveProperty('seed');
    expect(certificate.requested.record['actor']).not.toHaveProperty('label');
    const retention = core.context({ tenantId: ctx.tenantId, principal: { scopes: ['retention'] } });
    await expect(getCertificate({ ctx: retention, input: { jobId: id } })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(getJob({ ctx: core.context(), input: { id } })).rejects.toMatchObject({ code: 'not_found' });
  });
});

/** The next digit or letter in place of one, and a space in place of anything else. */
function changedAt(text: string, at: number): string {
  const byte = text[at] ?? '';
  const next = /[0-8a-yA-Y]/.test(byte) ? String.fromCharCode(byte.charCodeAt(0) + 1) : ' ';
  const other = next === byte ? 'x' : next;
  return text.slice(0, at) + other + text.slice(at + 1);
}
