import type { TreeHead } from '@annals/tlog';

/** What was last signed of a log. */
export interface SignedHead extends TreeHead {
  /** Public keys, as base64, that may sign the log: its first ones, and those whose rotation stands in it. */
  readonly keys: readonly string[];
}

/**
 * The signer's own memory, which whoever controls the database must not control: without it a signer signs
 * whatever it is shown.
 */
export interface SignerState {
  /** Errors  `invalid_input`, naming the file, for what cannot be read: it is never taken for nothing. */
  read(origin: string): Promise<SignedHead | undefined>;
  /**
   * Remember what is about to be signed; it is on disk when this returns. `known` is what was read before.
   *
   * Errors  `unavailable` where another process wrote in between.
   */
  write(origin: string, head: SignedHead, known: SignedHead | undefined): Promise<void>;
  /** Every log that was ever signed, and the files that do not tell any more of which one they are. */
  origins(): Promise<{ readonly origins: readonly string[]; readonly damaged: readonly string[] }>;
}
