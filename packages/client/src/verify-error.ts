/**
 * Why an activity could not be verified: it must not be trusted, nor must the server that vouched for it.
 *
 * `malformed`   an answer is none that a server of Annals gives.
 * `untrusted`   the checkpoint is not signed, or not witnessed, as the policy asks; or it is another tenant's.
 * `changed`     the activity is not the one that the log holds at its place.
 * `missing`     the log that was signed does not have the activity at the place told.
 * `rewritten`   the log does not go on from the checkpoint that was kept.
 */
export type VerifyReason = 'malformed' | 'untrusted' | 'changed' | 'missing' | 'rewritten';

/** Thrown by `verify`; the `cause` is the finer reason, an error of @annals/tlog. */
export class VerifyError extends Error {
  readonly reason: VerifyReason;

  constructor(reason: VerifyReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'VerifyError';
    this.reason = reason;
  }
}
