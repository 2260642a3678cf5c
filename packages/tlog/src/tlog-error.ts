/** Why bytes, a proof or a note are refused; callers branch on it, people read the message. */
export type TlogReason =
  /** An argument of the caller is impossible: an index beyond its tree, a hash of another length. */
  | 'bad_argument'
  /** A size, count or length passes what this package takes (`limits`). */
  | 'too_large'
  /** Text or bytes do not have the form that their specification gives. */
  | 'bad_base64'
  | 'bad_text'
  | 'bad_key'
  | 'bad_note'
  | 'bad_checkpoint'
  | 'bad_tile'
  | 'bad_bundle'
  | 'bad_proof'
  | 'bad_policy'
  | 'bad_json'
  | 'bad_entry'
  | 'bad_opening'
  /** A certificate of an erasure or purge. */
  | 'bad_certificate'
  /** A line of an audit bundle. */
  | 'bad_line'
  /** What is sent to a witness, or its answer. */
  | 'bad_request'
  /** A key, or a signature, of a type that this package does not speak. */
  | 'unsupported_key'
  /** A hash, a proof or a tile leads to another root than the one given. */
  | 'root_mismatch'
  /** A record is not the one that its opening belongs to. */
  | 'record_mismatch'
  /** A hash that is needed is in none of the tiles given. */
  | 'missing_tile'
  /** The signature of a known key does not verify. */
  | 'signature_invalid'
  /** No known key signed the note. */
  | 'signature_missing'
  /** No log of the policy has this origin, or none of its keys signed. */
  | 'log_unknown'
  /** Fewer witnesses cosigned than the policy asks for. */
  | 'quorum_missing';

/** The one error of this package: whatever bytes come in, nothing else is thrown. */
export class TlogError extends Error {
  readonly reason: TlogReason;

  constructor(reason: TlogReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TlogError';
    this.reason = reason;
  }
}
