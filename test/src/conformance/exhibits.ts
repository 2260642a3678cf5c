import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Context,
  exportBundle,
  getCertificate,
  listJobs,
  openEpochIn,
  rotateLogKey,
} from '@annals/core';
import { openTestCore, signAll, type TestCore } from '@annals/core/testing';
import { anActivity } from '@annals/testkit';
import { type Certificate, formatCertificate } from '@annals/tlog';
import { Client } from 'pg';
import { backUp } from '../log-model/backup.ts';
import { anonymize, appendAll, policyOf, purge, redact, sealAll } from '../tamper/services.ts';
import { activities, persons } from './activities.ts';
import type { BundleCase, CertificateCase } from './compare.ts';

export interface Exhibits {
  /** Of a short log with all that can happen to one. */
  readonly bundles: readonly BundleCase[];
  /** Of more than a tile. */
  readonly long: BundleCase;
  readonly certificates: readonly CertificateCase[];
}

/** Bundles and certificates as real services write them. */
export async function makeExhibits(): Promise<Exhibits> {
  const core = await openTestCore();
  const dir = await mkdtemp(join(tmpdir(), 'annals-conformance-'));
  const admin = new Client({ connectionString: core.url });
  await admin.connect();
  try {
    const tenant = openTenant({ core, dir });
    const sealed = await makeSealed(tenant);
    const open = await makeOpen(tenant);
    const epochs = await makeEpochs(tenant, admin);
    return {
      bundles: [...sealed.bundles, ...open.bundles, ...epochs],
      long: await makeLong(openTenant({ core, dir })),
      certificates: [...sealed.certificates, ...open.certificates],
    };
  } finally {
    await admin.end();
    await core.close();
    await rm(dir, { recursive: true, force: true });
  }
}

interface World {
  readonly core: TestCore;
  /** The signer's. */
  readonly dir: string;
}

/** A tenant with what an auditor of its log keeps. */
interface Tenant extends World {
  readonly ctx: Context;
  readonly held: string[];
  append(first: number, count: number): Promise<void>;
  sign(): Promise<void>;
  /** Its bundle as it is now, to be verified so many hours later. */
  bundle(name: string, hoursLater?: number): Promise<BundleCase>;
}

function openTenant({ core, dir }: World): Tenant {
  const ctx = core.context();
  const { tenantId } = ctx;
  const held: string[] = [];
  const receipts: string[] = [];
  return {
    core,
    dir,
    ctx,
    held,
    append: async (first, count) => {
      for (const { leaf, ...receipt } of await appendAll(ctx, activities(first, count))) {
        receipts.push(JSON.stringify({ ...receipt, leaf: Buffer.from(leaf).toString('base64') }));
      }
    },
    sign: async () => {
      const note = await signAll(core, { tenantId, dir });
      if (note !== undefined) held.push(note);
    },
    bundle: async (name, hoursLater = 0) => ({
      name,
      text: await bundleOf(ctx),
      policy: await policyOf(dir, `test.example/${tenantId}`),
      held: [...held],
      receipts: [...receipts],
      now: new Date(core.clock.now().getTime() + hoursLater * 3_600_000),
    }),
  };
}

async function bundleOf(ctx: Context): Promise<string> {
  const parts: string[] = [];
  await exportBundle({ ctx, input: { write: async (text) => void parts.push(text), waitMsMax: 0 } });
  return parts.join('');
}

type Made = Pick<Exhibits, 'bundles' | 'certificates'>;

/** Erased in whole and in part, some of it twice, and purged; all of it sealed. */
async function makeSealed(tenant: Tenant): Promise<Made> {
  const { ctx, core, dir } = tenant;
  const log = { tenantId: ctx.tenantId, dir };
  await tenant.append(0, 12);
  await tenant.sign();
  await tenant.append(12, 12);
  await tenant.sign();
  const whole = await tenant.bundle('whole');
  await redact(ctx, `actor:${persons[0]}`, 'message', 'metadata.user.email');
  await anonymize(ctx, { id: persons[1], mode: 'anonymize' });
  await tenant.sign();
  const certificates = await certificatesOf(tenant);
  await purge(ctx, 'session.ended', 90);
  await sealAll(core, log);
  await tenant.sign();
  await redact(ctx, `actor:${persons[0]}`, 'reason', 'tags');
  await anonymize(ctx, { id: persons[2], mode: 'pseudonymize' });
  await sealAll(core, log);
  await tenant.sign();
  return { bundles: [whole, await tenant.bundle('sealed')], certificates };
}

/** Rotated to another key, and with a manifest that stays open, since no day has passed. */
async function makeOpen(tenant: Tenant): Promise<Made> {
  await rotateLogKey(tenant.dir);
  await tenant.sign();
  await tenant.append(24, 2);
  await tenant.sign();
  const certificates = await certificatesOf(tenant);
  await redact(tenant.ctx, `actor:${persons[3]}`, 'context.userAgent', 'details');
  await tenant.sign();
  return { bundles: [await tenant.bundle('open'), await tenant.bundle('overdue', 49)], certificates };
}

/** Restored to where something that was signed is missing, so that the log goes on in a second epoch. */
async function makeEpochs(tenant: Tenant, admin: Client): Promise<BundleCase[]> {
  const { ctx, core, dir, held } = tenant;
  const { tenantId, principal } = ctx;
  const backup = await backUp(admin, tenantId);
  await tenant.append(26, 3);
  await tenant.sign();
  const before = await tenant.bundle('before the restore');
  await backup.restore();
  await openEpochIn(core.services, { dir, tenantId, principal });
  await tenant.append(29, 3);
  await tenant.sign();
  const seen = await tenant.bundle('of two epochs, with what was lost');
  held.splice(-2, 1);
  return [before, seen, await tenant.bundle('of two epochs')];
}

async function makeLong(tenant: Tenant): Promise<BundleCase> {
  for (const first of [0, 100, 200]) {
    const many = Array.from({ length: 100 }, (_, at) => anActivity({ metadata: { n: first + at } }));
    await appendAll(tenant.ctx, many);
  }
  await tenant.sign();
  return tenant.bundle('of two tiles');
}

/** A certificate of each job that has ended, by turns as a file and as the API sends it. */
async function certificatesOf({ core, dir, ctx }: Tenant): Promise<CertificateCase[]> {
  const policy = await policyOf(dir, `test.example/${ctx.tenantId}`);
  const { jobs } = await listJobs({ ctx, input: { limit: 100 } });
  const cases: CertificateCase[] = [];
  for (const { id: jobId, kind } of jobs) {
    const certificate = (await getCertificate({ ctx, input: { jobId } })) as unknown as Certificate;
    const text = cases.length % 2 === 0 ? formatCertificate(certificate) : JSON.stringify(certificate);
    cases.push({ name: `of ${kind} ${cases.length}`, text, policy, now: core.clock.now() });
  }
  return cases;
}
