import { AnnalsError, type ErrorCode } from '@annals/contract';
import { ExitError, type ExitName } from './exit.ts';
import { visible } from './text.ts';

const exitOfCode: Partial<Record<ErrorCode, ExitName>> = {
  invalid_input: 'usage',
  invalid_query: 'usage',
  unauthenticated: 'auth',
  forbidden: 'auth',
  plan_drifted: 'refused',
  plan_not_open: 'refused',
};

export interface Failure {
  readonly exit: ExitName;
  readonly message: string;
  /** For a program that reads stderr. */
  readonly event: object;
}

/** What the operator is told of an error, and how the command ends. */
export function describeError(error: unknown): Failure {
  if (error instanceof AnnalsError) {
    const { code, message, path, limit, position, requestId } = error;
    const where = path === undefined ? '' : `${path}: `;
    const id = requestId === undefined || code !== 'internal' ? '' : ` (request ${requestId})`;
    const at = position === undefined ? '' : ` (at character ${position + 1})`;
    const text = `${where}${message}${code === 'unavailable' ? reasonOf(error) : ''}${at}${id}`;
    return {
      exit: exitOfCode[code] ?? 'failure',
      message: visibleLines(text),
      event: { event: 'error', code, message, path, limit, position, requestId },
    };
  }
  const exit = error instanceof ExitError ? error.exit : 'failure';
  const message = error instanceof Error ? error.message : String(error);
  // What the operator can mend is a sentence; anything else is a defect, whose stack helps.
  const told =
    error instanceof Error && !(error instanceof ExitError) && !('code' in error) ? error.stack : message;
  return { exit, message: visibleLines(told ?? message), event: { event: 'error', code: exit, message } };
}

/** The innermost cause, as `: connect ECONNREFUSED 127.0.0.1:4983`; nothing where none is told. */
function reasonOf(error: Error): string {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  if (cause === error || !(cause instanceof Error)) return '';
  const reason = cause.message || ('code' in cause ? String(cause.code) : '');
  return reason === '' ? '' : `: ${reason.trim()}`;
}

function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}
