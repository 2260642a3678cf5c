import type { Finding } from './findings.ts';
import type { ReceiptReport } from './receipts.ts';

/** What verification of a bundle came to. Plain data; bytes are in base64. */
export interface BundleReport {
  /** `pending`: all holds so far, but some of it must be looked at again. */
  readonly verdict: 'valid' | 'pending' | 'invalid';
  readonly tenantId?: string;
  readonly madeAt?: Date;
  /** The time that open manifests were judged by. */
  readonly checkedAt: Date;
  readonly logs: readonly LogReport[];
  /** Over all logs. */
  readonly counts: IndexCounts;
  readonly manifests: ManifestCounts;
  readonly heldCheckpoints: number;
  readonly receipts?: ReceiptReport;
  readonly findings: readonly Finding[];
}

/** How the indexes of a log are accounted for; each is one of these. */
export interface IndexCounts {
  /** The record is there, and whole. */
  readonly disclosed: number;
  /** The record is there but for what a sealed manifest lists as erased. */
  readonly erased: number;
  /** The record is not there, as a sealed manifest says. */
  readonly purged: number;
  /** Erased or purged by a manifest that is not sealed yet. */
  readonly pending: number;
  /** Neither: the record is missing, or is not the one that the log committed to, or lacks what none lists. */
  readonly unexplained: number;
}

export interface LogReport {
  readonly epoch: number;
  readonly origin: string;
  readonly size: number;
  readonly root?: string;
  readonly checkpoints: number;
  /** Of the newest checkpoint. */
  readonly keys: readonly string[];
  readonly cosignatures: readonly { readonly witness: string; readonly at: Date }[];
  /** When the first and the last of its records were received, as far as they are there. */
  readonly firstRecordedAt?: Date;
  readonly lastRecordedAt?: Date;
}

export interface ManifestCounts {
  readonly sealed: number;
  readonly open: number;
}
