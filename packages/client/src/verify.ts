import type { CallOptions } from './options.ts';

export interface VerifyOptions extends CallOptions {
  /**
   * The text of a C2SP policy file: the keys of logs and witnesses that you trust, from elsewhere than this server
   * (`annals log-key show --tenant <tenant> --policy` prints it).
   */
  readonly policy: string;
  /** A checkpoint kept from an earlier time, as `note` of a report: the log must be a continuation of it. */
  readonly checkpoint?: string | undefined;
}

/** What was proved of an activity. Fields have the names under which `erased` lists them, as `metadata.plan`. */
export interface VerifyReport {
  readonly id: string;
  /** The log's name; of the tenant, and of its epoch. */
  readonly origin: string;
  /** Where the activity stands in the log, and how many entries that had when it was signed. */
  readonly index: number;
  readonly size: number;
  /** Whether Annals itself wrote the activity. */
  readonly own: boolean;
  /** What the log was given when the activity was stored. */
  readonly verified: readonly string[];
  /** Masked, for this key may not see them; nothing is proved of their values. */
  readonly withheld: readonly string[];
  /**
   * Erased, in whole or in part: nothing is proved of what they show now. That each erasure is accounted for,
   * `annals verify` checks on an audit bundle.
   */
  readonly erased: readonly string[];
  /** The witnesses of the policy that cosigned the checkpoint. */
  readonly witnesses: readonly { readonly name: string; readonly cosignedAt: Date }[];
  /** The signed checkpoint; kept, it shows later whether the log was rewritten. */
  readonly note: string;
}
