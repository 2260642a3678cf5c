/** Annals cannot start; the message is one sentence for the operator, and all that needs printing. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Whether an error is one of Node's system errors with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
