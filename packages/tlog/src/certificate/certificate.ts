/** What a certificate is about: one erasure or purge that has ended. */
export interface CertifiedJob {
  readonly id: string;
  readonly kind: CertifiedKind;
  /** `anonymize`, `pseudonymize`, `redact` or `retention`. */
  readonly mode: string;
  /** One that was cancelled did what the account says, and left the rest. */
  readonly status: 'completed' | 'cancelled';
}

export const certifiedKinds = ['anonymize', 'redact', 'retention'] as const;
export type CertifiedKind = (typeof certifiedKinds)[number];

/**
 * One of Annals' own records with what leads from it to its leaf, and from there to a signed checkpoint. Values
 * that the reader may not see are left out of the record; their commitments stand in the openings.
 */
export interface CertifiedRecord {
  /** The activity as JSON. */
  readonly record: { readonly [key: string]: unknown };
  /** Base64: of a record that is shown whole. */
  readonly seed?: string;
  /** Base64: of any other. */
  readonly openings?: string;
  /** Absent until a signed checkpoint covers the record. */
  readonly proof?: CertifiedProof;
}

export interface CertifiedProof {
  readonly epoch: number;
  readonly index: number;
  /** Base64, the leaf's sibling first. */
  readonly hashes: readonly string[];
  /** The checkpoint that the proof leads to: a signed note. */
  readonly note: string;
}

/** A list of what has gone, which several runs can share. */
export interface CertifiedManifest {
  readonly id: string;
  /** The record that holds its root; absent while it is open. */
  readonly sealed?: CertifiedRecord;
  /** Of an open one: when it is due, in the form of `Date.toISOString`. */
  readonly dueAt?: string;
}

/** What the run did, as its last record says. */
export type Account = {
  /** Rows by table. */
  readonly tables: { readonly activity: { readonly changed: number } | { readonly removed: number } };
  /** Erased values by field. */
  readonly fields?: object;
  /** Removed activities by policy. */
  readonly policies?: object;
  readonly partitionsDropped?: readonly string[];
  /** Activities that legal holds kept as they are. */
  readonly held: number;
  /** What the scan at the end of an anonymize run still found of the person. */
  readonly residual?: object;
};

/** Something that the run did not reach. */
export interface OutOfReach {
  readonly code: string;
  readonly text: string;
}

/** The account of one erasure or purge, to be checked without a network (docs/format.md). */
export interface Certificate {
  readonly version: 1;
  readonly tenantId: string;
  readonly job: CertifiedJob;
  readonly account: Account;
  readonly outOfReach: readonly OutOfReach[];
  readonly requested: CertifiedRecord;
  readonly completed: CertifiedRecord;
  readonly manifests: readonly CertifiedManifest[];
  /** The keys that signed, as a policy (C2SP tlog-policy): for a first look, never to be trusted by itself. */
  readonly policy: string;
}

/** The text of a certificate file: the only one that a verifier takes for it. */
export function formatCertificate(certificate: Certificate): string {
  return `${JSON.stringify(certificate, null, 2)}\n`;
}
