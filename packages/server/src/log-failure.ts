import type { ErrorCode } from '@annals/contract';
import { type Logger, stackFrames } from '@annals/core';
import { errorInfoOf } from './error-info.ts';

export interface Failure {
  readonly error: unknown;
  readonly requestId: string;
  readonly procedure: string | undefined;
}

/**
 * Log a failure that is not the caller's doing.
 *
 * Of an error only its class, its code and its stack's frames are logged, and so for each of its causes:
 * the messages of drivers quote values, and inputs are personal data.
 */
export function logFailure(log: Logger, { error, requestId, procedure }: Failure): void {
  const { code } = errorInfoOf(error);
  const fields = { requestId, procedure, code, causes: describeCauses(error) };
  if (code === 'internal') log.error(fields, 'a call failed');
  else if (passing.has(code)) log.warn(fields, 'a call could not be served');
}

const passing: ReadonlySet<ErrorCode> = new Set(['unavailable', 'timeout', 'overloaded']);

interface CauseFields {
  readonly name: string;
  readonly code?: string;
  readonly frames: readonly string[];
}

function describeCauses(error: unknown): CauseFields[] {
  const causes: CauseFields[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    const named = typeof code === 'string' && /^\w{1,40}$/.test(code) ? { code } : {};
    causes.push({ name: cause.constructor.name, ...named, frames: stackFrames(cause) });
  }
  return causes;
}
