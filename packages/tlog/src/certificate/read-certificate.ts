import {
  arrayOf,
  bytesOf,
  expectKeys,
  integerOf,
  isObject,
  type JsonObject,
  parseObject,
  textOf,
  timeOf,
  toObject,
} from '../bundle/json-fields.ts';
import { limits } from '../limits.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import {
  type Certificate,
  type CertifiedJob,
  type CertifiedKind,
  type CertifiedManifest,
  type CertifiedRecord,
  certifiedKinds,
  formatCertificate,
} from './certificate.ts';

const manifestsMax = 1_000;

/**
 * Read a certificate. Nothing of it may be believed before it is verified.
 *
 * Limits  4,000,000 characters.
 * Errors  `bad_certificate` for anything that `formatCertificate` or `JSON.stringify` would not have written, to
 *         the last byte; `too_large`.
 */
export function readCertificate(text: string): Certificate {
  if (text.length > limits.proofFileBytesMax) {
    throw new TlogError('too_large', `a certificate has at most ${limits.proofFileBytesMax} characters`);
  }
  try {
    const certificate = toCertificate(parseObject(text));
    // As the command writes it, or as the API sends it: so no byte can be changed without being noticed.
    const forms = [formatCertificate(certificate), JSON.stringify(certificate)];
    if (!forms.includes(text)) throw bad('it is written in another form');
    return certificate;
  } catch (error) {
    if (!(error instanceof TlogError) || error.reason === 'bad_certificate') throw error;
    throw new TlogError('bad_certificate', error.message, { cause: error });
  }
}

function toCertificate(json: JsonObject): Certificate {
  if (json['version'] !== 1) throw bad('it is of another version');
  expectKeys(json, [
    'version',
    'tenantId',
    'job',
    'account',
    'outOfReach',
    'requested',
    'completed',
    'manifests',
    'policy',
  ]);
  for (const name of ['tenantId', 'policy']) {
    if (!textOf(json, name).isWellFormed()) throw bad(`${name} holds a lone surrogate`);
  }
  toObject(json['account'], 'account');
  arrayOf(json, 'outOfReach', 100);
  checkJob(toObject(json['job'], 'job'));
  checkRecord(json['requested'], 'requested');
  checkRecord(json['completed'], 'completed');
  for (const manifest of arrayOf(json, 'manifests', manifestsMax)) checkManifest(manifest);
  // Member by member: the account and what is out of reach are compared as a whole with what they must be.
  return json as unknown as Certificate;
}

function checkJob(job: JsonObject): void {
  expectKeys(job, ['id', 'kind', 'mode', 'status'] satisfies (keyof CertifiedJob)[]);
  textOf(job, 'id');
  const [kind, mode] = [textOf(job, 'kind'), textOf(job, 'mode')];
  if (!certifiedKinds.includes(kind as CertifiedKind)) throw bad('no job is of this kind');
  // The log says the mode: so it says the kind too.
  if (mode !== kind && !(mode === 'pseudonymize' && kind === 'anonymize'))
    throw bad('no such job has this mode');
  if (!['completed', 'cancelled'].includes(textOf(job, 'status'))) throw bad('the job has not ended');
}

function checkManifest(value: unknown): void {
  const manifest = toObject(value, 'a manifest');
  expectKeys(manifest, ['id', 'sealed', 'dueAt'] satisfies (keyof CertifiedManifest)[]);
  textOf(manifest, 'id');
  if ('sealed' in manifest === 'dueAt' in manifest) throw bad('a manifest is either sealed or due');
  if ('sealed' in manifest) checkRecord(manifest['sealed'], 'sealed');
  else timeOf(manifest, 'dueAt');
}

function checkRecord(value: unknown, name: string): void {
  const certified = toObject(value, name);
  expectKeys(certified, ['record', 'seed', 'openings', 'proof'] satisfies (keyof CertifiedRecord)[]);
  toObject(certified['record'], 'record');
  if ('seed' in certified === 'openings' in certified) throw bad('a record has a seed or openings');
  bytesOf(certified, 'seed' in certified ? 'seed' : 'openings');
  if (!isObject(certified['proof'])) {
    if ('proof' in certified) throw bad('a proof must be an object');
    return;
  }
  const { proof } = certified;
  expectKeys(proof, ['epoch', 'index', 'hashes', 'note']);
  integerOf(proof, 'epoch', 1);
  integerOf(proof, 'index');
  textOf(proof, 'note');
  for (const hash of arrayOf(proof, 'hashes', limits.proofHashesMax)) {
    bytesOf({ hash }, 'hash', hashBytes);
  }
}

function bad(message: string): TlogError {
  return new TlogError('bad_certificate', message);
}
