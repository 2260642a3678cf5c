import { decodeBase64 } from '../base64.ts';
import { policyOfEpochs } from '../bundle/checkpoints.ts';
import { readRecord } from '../bundle/read-record.ts';
import { equalBytes } from '../bytes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { decodeOpenings } from '../entry/openings.ts';
import { type Opening, rebuildEntry } from '../entry/rebuild-entry.ts';
import type { Json, LoggedRecord } from '../entry/record.ts';
import { isOriginOf } from '../log-origin.ts';
import { type Checkpoint, parseCheckpoint } from '../note/checkpoint.ts';
import { parseNote } from '../note/signed-note.ts';
import { formatPolicy } from '../policy/format-policy.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { verifyCheckpoint } from '../policy/verify-checkpoint.ts';
import { TlogError } from '../tlog-error.ts';
import { verifyInclusion } from '../tree/verify-inclusion.ts';
import { accountOf, actionsOf, outOfReachOf } from './account.ts';
import type { Certificate, CertifiedManifest, CertifiedProof, CertifiedRecord } from './certificate.ts';
import { readCertificate } from './read-certificate.ts';

export interface CertificateCheck {
  /** The file as it is. */
  readonly text: string;
  /** Which logs and witnesses the verifier trusts. */
  readonly policy: Policy;
  readonly now: Date;
}

/** `pending`: true as far as it goes, but something is not sealed or signed yet. */
export type CertificateOutcome = 'valid' | 'pending' | 'invalid';

export interface CertificateReport {
  readonly outcome: CertificateOutcome;
  /** What is wrong, or what is awaited. */
  readonly findings: readonly { readonly outcome: 'pending' | 'invalid'; readonly message: string }[];
  /** Absent where the text is none. */
  readonly certificate?: Certificate;
}

/**
 * Check the account of an erasure or purge: that the log of the tenant holds its request, its end with just these
 * numbers, and the roots of the lists of what has gone; all signed as the policy asks.
 *
 * It proves what was stated and when it was stated. Whether just what the lists name has gone is checked with the
 * bundle of the log; that nothing was kept elsewhere cannot be checked.
 */
export function verifyCertificate({ text, policy, now }: CertificateCheck): CertificateReport {
  let certificate: Certificate;
  try {
    certificate = readCertificate(text);
  } catch (error) {
    return { outcome: 'invalid', findings: [toFinding(error, 'the file')] };
  }
  const findings = [...checks(certificate, { policy, now })].flatMap(([name, check]) => {
    try {
      check();
      return [];
    } catch (error) {
      return [toFinding(error, name)];
    }
  });
  const has = (outcome: string) => findings.some((finding) => finding.outcome === outcome);
  const outcome = has('invalid') ? 'invalid' : has('pending') ? 'pending' : 'valid';
  return { outcome, findings, certificate };
}

/** Ends a check: what it needs is not there yet. */
class Awaited extends Error {}

function toFinding(error: unknown, name: string): CertificateReport['findings'][number] {
  const message = `${name}: ${error instanceof Error ? error.message : 'cannot be read'}`;
  if (error instanceof Awaited) return { outcome: 'pending', message };
  if (!(error instanceof TlogError)) throw error;
  return { outcome: error.reason === 'quorum_missing' ? 'pending' : 'invalid', message };
}

type Against = Pick<CertificateCheck, 'policy' | 'now'>;

function* checks(
  certificate: Certificate,
  { policy, now }: Against,
): Generator<readonly [name: string, check: () => void]> {
  const { requested, completed, manifests } = certificate;
  yield ['the request', () => checkRequested(certificate)];
  yield ['the end', () => checkCompleted(certificate)];
  yield ['what is out of reach', () => checkOutOfReach(certificate)];
  yield ['the policy', () => checkPolicy(certificate)];
  yield ['the request', () => checkProof(requested, { certificate, policy })];
  yield ['the end', () => checkProof(completed, { certificate, policy })];
  for (const manifest of manifests) {
    const name = `manifest ${manifest.id.slice(0, 36)}`;
    yield [name, () => checkManifest(manifest, { certificate, policy, now })];
  }
}

function checkRequested({ requested, job, tenantId }: Certificate): void {
  const { record } = readCertified(requested, tenantId);
  expectSame(record.action, actionsOf(job).requested, 'it is another record');
  expectSame(record.metadata['jobId'], job.id, 'it is of another job');
  expectSame(record.metadata['mode'], job.mode, 'it says another mode');
}

function checkCompleted({ completed, job, tenantId, account, manifests }: Certificate): void {
  const { record } = readCertified(completed, tenantId);
  const { metadata } = record;
  expectSame(record.action, actionsOf(job).ended, 'it is another record');
  expectSame(metadata['jobId'], job.id, 'it is of another job');
  expectSame(metadata['mode'], job.mode, 'it says another mode');
  expectSame(
    metadata['manifests'],
    manifests.map(({ id }) => id),
    'it names other manifests',
  );
  expectSame(accountOf(job.kind, metadata), account, 'it says other numbers than the account');
}

function checkOutOfReach({ outOfReach, job }: Certificate): void {
  expectSame(outOfReach, outOfReachOf(job.kind), 'it is another list than for this kind of job');
}

/** Its own policy must hold and be in the one form, so that nothing can be hidden in it. */
function checkPolicy({ policy, requested, completed, manifests }: Certificate): void {
  const { logs } = parsePolicy(policy);
  const plain: Policy = { logs: logs.map(({ key }) => ({ key })), witnesses: [], quorum: { kind: 'none' } };
  expectSame(policy, formatPolicy(plain), 'it says more than the keys of the log');
  for (const { proof } of [requested, completed, ...manifests.flatMap(({ sealed }) => sealed ?? [])]) {
    if (proof) readSigned(proof, plain);
  }
}

function checkManifest(
  { id, sealed, dueAt = '' }: CertifiedManifest,
  { certificate, policy, now }: Against & { readonly certificate: Certificate },
): void {
  if (!sealed) {
    const late = Date.parse(dueAt) < now.getTime() ? ', and is overdue: ask for a newer certificate' : '';
    throw new Awaited(`it is not sealed yet: that is due at ${dueAt}${late}`);
  }
  const { record } = readCertified(sealed, certificate.tenantId);
  expectSame(record.action, 'annals.manifest_sealed', 'the record is another one');
  expectSame(record.target, { type: 'manifest', id }, 'the record seals another manifest');
  const kind = certificate.job.kind === 'retention' ? 'purge' : 'erasure';
  expectSame(record.metadata['kind'], kind, 'the manifest lists something else');
  checkProof(sealed, { certificate, policy });
}

/** A record that stands in the log, as far as it is shown. */
function readCertified(
  certified: CertifiedRecord,
  tenantId: string,
): { record: LoggedRecord; leaf: Uint8Array } {
  // A copy, for the reader makes its argument the record.
  const record = readRecord({ ...certified.record }, true);
  const { leaf, slots } = rebuildEntry(record, openingOf(certified));
  expectSame(record.tenantId, tenantId, 'the record is of another tenant');
  const idMs = Number.parseInt(record.id.slice(0, 8) + record.id.slice(9, 13), 16);
  expectSame(record.occurredAt.getTime(), idMs, 'the record says another time than its id');
  // Nothing commits to either here: it would look proven without being so.
  const unproven = slots.some(({ state, shown }) => state !== 'open' && shown) || record.erased;
  if (unproven) throw new TlogError('record_mismatch', 'the record shows what nothing commits to');
  return { record, leaf };
}

function openingOf({ seed, openings = '' }: CertifiedRecord): Opening {
  if (seed !== undefined) return { seed: decodeBase64(seed) };
  return { openings: decodeOpenings(decodeBase64(openings)) };
}

function checkProof(
  certified: CertifiedRecord,
  { certificate, policy }: { readonly certificate: Certificate; readonly policy: Policy },
): void {
  const { proof } = certified;
  if (!proof) throw new Awaited('no signed checkpoint covers it yet');
  const { leaf } = readCertified(certified, certificate.tenantId);
  const checkpoint = readSigned(proof, policy);
  checkOrigin(checkpoint.origin, { proof, tenantId: certificate.tenantId });
  const { size, root } = checkpoint;
  verifyInclusion({ leafHash: leaf, index: proof.index, size, root, proof: proof.hashes.map(decodeBase64) });
}

/** The checkpoint of a proof; who trusts a key for one epoch of a log trusts it for all, as with bundles. */
function readSigned({ note, epoch }: CertifiedProof, policy: Policy): Checkpoint {
  const signed = parseNote(note);
  const { origin } = parseCheckpoint(signed.text);
  return verifyCheckpoint(signed, policyOfEpochs(policy, [{ epoch, origin }])).checkpoint;
}

/** A key can sign the logs of many tenants: the origin says whose this one is. */
function checkOrigin(
  origin: string,
  { proof: { epoch }, tenantId }: { readonly proof: CertifiedProof; readonly tenantId: string },
): void {
  if (isOriginOf(origin, { tenantId, epoch })) return;
  throw new TlogError('log_unknown', 'the checkpoint is of another log');
}

function expectSame(found: unknown, expected: unknown, message: string): void {
  const [a, b] = [found, expected].map((value) => canonicalJson((value ?? null) as Json));
  if (!equalBytes(a as Uint8Array, b as Uint8Array)) throw new TlogError('record_mismatch', message);
}
