import { AnnalsError, type ErrorCode } from '@annals/contract';

const timeout = {
  code: 'timeout',
  message: 'the statement took longer than allowed; narrow the filter',
} as const;

/** SQLSTATE, or its two-character class, to what a caller may know of it. */
const codes: Record<string, { code: ErrorCode; message: string }> = {
  '57014': timeout,
  '57': { code: 'unavailable', message: 'the database is shutting down or starting; try again' },
  '08': { code: 'unavailable', message: 'the database cannot be reached; try again' },
  '53': { code: 'unavailable', message: 'the database is out of a resource; try again' },
  '40': { code: 'unavailable', message: 'the database had to undo a conflicting transaction; try again' },
  '55P03': { code: 'unavailable', message: 'something else holds what is needed; try again' },
  '25006': { code: 'unavailable', message: 'the database is read-only at the moment; try again' },
};

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
]);

/**
 * What the domain throws for a failed statement. Known conditions become typed errors; anything else stays
 * as it is, so that it is reported as `internal` with its cause in the log. The database's own text never
 * reaches a caller: it can quote values.
 */
export function toDomainError(error: unknown): unknown {
  if (error instanceof AnnalsError) return error;
  for (let cause = error; cause instanceof Error; cause = cause.cause ?? previousOf(cause)) {
    const code = (cause as { code?: unknown }).code;
    if (isLostConnection(cause)) return unreachable(error);
    if (typeof code !== 'string') continue;
    const known = codes[code] ?? codes[code.slice(0, 2)];
    if (known) return new AnnalsError(known, { cause: error });
    if (networkCodes.has(code)) return unreachable(error);
  }
  return error;
}

/** As for a statement that the database has cancelled. */
export function timedOut(): AnnalsError {
  return new AnnalsError(timeout);
}

/** For a transaction whose caller went away; nobody is left to read it but the log. */
export function callerLeft(cause?: unknown): AnnalsError {
  return new AnnalsError({ code: 'timeout', message: 'the caller went away' }, { cause });
}

function unreachable(cause: unknown): AnnalsError {
  return new AnnalsError(
    { code: 'unavailable', message: 'the database cannot be reached; try again' },
    { cause },
  );
}

/** The driver tells by its text alone that a connection went away while nothing, or something, was asked of it. */
function isLostConnection({ message }: Error): boolean {
  return /^(Connection terminated|Client has encountered a connection error)/.test(message);
}

/** MikroORM keeps the driver's error under `previous` in some versions and under `cause` in others. */
function previousOf(error: Error): unknown {
  return (error as { previous?: unknown }).previous;
}
