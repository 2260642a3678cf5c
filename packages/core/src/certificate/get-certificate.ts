import { AnnalsError, type CertificateInput, type CertificateResult } from '@annals/contract';
import {
  accountOf,
  type Certificate,
  type CertifiedManifest,
  encodeBase64,
  formatPolicy,
  outOfReachOf,
  parseVerifierKey,
} from '@annals/tlog';
import { read } from '../activity/read.ts';
import type { Context, Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { JobEntity } from '../job/entity.ts';
import { requireJobScope } from '../job/job-scope.ts';
import { type JobRow, jobNotFound } from '../job/to-job.ts';
import { ManifestEntity } from '../manifest/entity.ts';
import { type Certified, certifyRecord } from './certify-record.ts';

/**
 * The account of an erasure or purge that has ended, to be checked without a network (docs/format.md).
 *
 * What is not signed or sealed yet is missing from it, and verifying it then ends as pending. Without
 * `personal:read` the personal fields of the records are withheld.
 * Errors  `not_found`; `forbidden` without the scope of the job's kind; `job_not_ended`.
 */
export async function getCertificate({ ctx, input }: Verb<CertificateInput>): Promise<CertificateResult> {
  return read(ctx, (tx) => certify(tx, ctx, input.jobId), { snapshot: true });
}

async function certify(tx: Tx, ctx: Context, jobId: string): Promise<CertificateResult> {
  const job = await tx.em.findOne(JobEntity, { id: jobId });
  if (!job) throw jobNotFound('jobId');
  requireJobScope(ctx.principal, job);
  const { requestedId, completedId } = job;
  if (!requestedId || !completedId) throw notEnded();
  const requested = await certifyRecord(tx, ctx, requestedId);
  const completed = await certifyRecord(tx, ctx, completedId);
  const manifests = await certifyManifests(tx, ctx, job);
  const { metadata } = completed;
  const certificate: Certificate = {
    version: 1,
    tenantId: tx.tenantId,
    job: {
      id: job.id,
      kind: job.kind,
      mode: typeof metadata['mode'] === 'string' ? metadata['mode'] : job.kind,
      status: job.status === 'cancelled' ? 'cancelled' : 'completed',
    },
    account: accountOf(job.kind, metadata),
    outOfReach: [...outOfReachOf(job.kind)],
    requested: requested.certified,
    completed: completed.certified,
    manifests: manifests.map(({ manifest }) => manifest),
    policy: policyOf([requested, completed, ...manifests.flatMap(({ record }) => record ?? [])]),
  };
  // The same but for what is read-only.
  return certificate as unknown as CertificateResult;
}

interface ListedManifest {
  readonly manifest: CertifiedManifest;
  readonly record?: Certified;
}

async function certifyManifests(tx: Tx, ctx: Context, job: JobRow): Promise<ListedManifest[]> {
  const ids = job.manifestIds ?? [];
  const found = await tx.em.find(ManifestEntity, { id: { $in: ids } });
  const listed: ListedManifest[] = [];
  for (const { id, kind, openedAt, activityId } of found.toSorted(
    (a, b) => ids.indexOf(a.id) - ids.indexOf(b.id),
  )) {
    if (activityId) {
      const record = await certifyRecord(tx, ctx, activityId);
      listed.push({ manifest: { id, sealed: record.certified }, record });
    } else {
      const waitMs = kind === 'erasure' ? ctx.manifestIntervalMs : 0;
      listed.push({ manifest: { id, dueAt: new Date(openedAt.getTime() + waitMs).toISOString() } });
    }
  }
  return listed;
}

/** The keys under which the log signed the checkpoints that the proofs lead to. */
function policyOf(records: readonly Certified[]): string {
  const keys = records.flatMap(({ checkpoint }) => checkpoint?.verifierKeys.map(parseVerifierKey) ?? []);
  // A policy lists a public key once, whichever epochs it signed.
  const distinct = new Map(keys.map((key) => [encodeBase64(key.publicKey), key]));
  const logs = Array.from(distinct.values(), (key) => ({ key }));
  return formatPolicy({ logs, witnesses: [], quorum: { kind: 'none' } });
}

function notEnded(): AnnalsError {
  return new AnnalsError({
    code: 'job_not_ended',
    message: 'the job has not ended, so that there is nothing to certify yet',
    path: 'jobId',
  });
}
