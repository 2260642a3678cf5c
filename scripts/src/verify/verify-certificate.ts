import {
  type Certificate,
  type CertificateReport,
  parsePolicy,
  TlogError,
  verifyCertificate,
} from '@annals/tlog';
import { type ExitName, UsageError } from '../cli/exit.ts';
import { visible } from '../cli/text.ts';

export interface CertificateFiles {
  /** Of the certificate and of the policy, as they are. */
  readonly certificate: string;
  readonly policy: string;
  readonly now: Date;
}

export interface VerifiedCertificate {
  readonly report: CertificateReport;
  readonly exit: ExitName;
  /** For people. */
  readonly text: string;
}

const exits = { valid: 'ok', invalid: 'unverified', pending: 'pending' } as const;

/**
 * Check a certificate with nothing but the files: it needs no network and no database.
 *
 * Errors  UsageError for a policy that is none.
 */
export function verifyCertificateFile({ certificate, policy, now }: CertificateFiles): VerifiedCertificate {
  const report = verifyCertificate({ text: certificate, policy: readPolicy(policy), now });
  return { report, exit: exits[report.outcome], text: describe(report) };
}

function readPolicy(text: string) {
  try {
    return parsePolicy(text);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new UsageError(`--policy: ${error.message}`, { cause: error });
  }
}

const headlines = {
  valid: 'The certificate is valid.',
  pending: 'The certificate is true as far as it goes, but not complete yet.',
  invalid: 'The certificate is NOT valid.',
} as const;

function describe({ outcome, findings, certificate }: CertificateReport): string {
  return [
    headlines[outcome],
    ...findings.map(({ message }) => `  ${message}`),
    // Of an invalid one nothing is repeated that somebody could take for true.
    ...(certificate && outcome !== 'invalid' ? describeContents(certificate) : []),
  ]
    .map(visible)
    .join('\n');
}

/** What the signed records say, and what no certificate can. */
function describeContents({ tenantId, job, account, outOfReach }: Certificate): string[] {
  const { tables, held, ...counts } = account;
  return [
    '',
    `The log of the tenant ${tenantId} holds that job ${job.id} (${job.mode}) was requested and ${job.status}.`,
    `  activities: ${JSON.stringify(tables.activity)}, kept by holds: ${held}`,
    ...Object.entries(counts).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
    '',
    'It does not prove that no copy was kept. Out of reach:',
    ...outOfReach.map(({ code, text }) => `  ${code}: ${text}`),
  ];
}
