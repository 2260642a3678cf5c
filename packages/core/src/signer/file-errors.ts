import { AnnalsError } from '@annals/contract';

/** What the operator has to mend about a file of the signer. */
export function unusable(path: string, problem: string, cause?: unknown): AnnalsError {
  const reason = cause === undefined ? {} : { cause };
  return new AnnalsError({ code: 'invalid_input', message: `${path} ${problem}` }, reason);
}

/** Whether a file system call failed since there is no such file. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

/** Whether a file system call failed since there is such a file. */
export function isTaken(error: unknown): boolean {
  return hasCode(error, 'EEXIST');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
