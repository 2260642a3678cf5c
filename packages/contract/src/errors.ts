/** The closed set of error codes, with the HTTP status that each travels under. */
export const errorStatus = {
  /** Input breaks the contract; `path` and, where one applies, `limit` say where and how. */
  invalid_input: 400,
  /** The text of a query does not parse; `position` says where. */
  invalid_query: 400,
  /** No key, an unknown one or a revoked one. */
  unauthenticated: 401,
  /** The key lacks a scope; the message names it. */
  forbidden: 403,
  /** No such thing, or nothing that this key may know of: the two look the same. */
  not_found: 404,
  /** The id is taken by an activity with other content. */
  id_conflict: 409,
  /** The activity is stored, but no signed checkpoint covers it yet: ask again shortly. */
  not_signed: 409,
  /** The plan was applied, cancelled or has expired: make a new one. */
  plan_not_open: 409,
  /** What the plan would change is no longer what it counted. */
  plan_drifted: 409,
  /** The job has ended, so that it cannot be cancelled or resumed. */
  job_ended: 409,
  /** The job has not ended, so that nothing certifies it yet. */
  job_not_ended: 409,
  /** The body exceeds the limit named. */
  too_large: 413,
  /** More is waiting to be stored than the server takes; nothing was stored. Safe to retry. */
  overloaded: 429,
  /** The caller went away or the time allowed ran out; nothing was changed. */
  timeout: 504,
  /** The database cannot be reached or is full. Safe to retry. */
  unavailable: 503,
  /** A defect of Annals; the request id finds it in the log. */
  internal: 500,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export const errorCodes = Object.keys(errorStatus) as [ErrorCode, ...ErrorCode[]];

export interface ErrorInfo {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where in the input, as `activities.3.actor.id`. */
  readonly path?: string;
  /** The limit that was passed, in the unit that the message names. */
  readonly limit?: number;
  /** Offset into a query text, in UTF-16 code units. */
  readonly position?: number;
  readonly requestId?: string;
}

/**
 * The one error type of the domain. Its message is written for the caller, so it never holds a secret,
 * personal data or an internal detail; those belong in `cause`, which never leaves the process.
 */
export class AnnalsError extends Error {
  readonly code: ErrorCode;
  // Declared only: an absent one is then absent, and not printed as undefined.
  declare readonly path?: string;
  declare readonly limit?: number;
  declare readonly position?: number;
  declare readonly requestId?: string;

  constructor(info: ErrorInfo, options?: { cause?: unknown }) {
    super(info.message, options);
    this.name = 'AnnalsError';
    this.code = info.code;
    if (info.path !== undefined) this.path = info.path;
    if (info.limit !== undefined) this.limit = info.limit;
    if (info.position !== undefined) this.position = info.position;
    if (info.requestId !== undefined) this.requestId = info.requestId;
  }

  get status(): number {
    return errorStatus[this.code];
  }
}
