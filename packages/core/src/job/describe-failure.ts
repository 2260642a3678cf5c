import { stackFrames } from '../stack-frames.ts';

/**
 * What a log may hold of an error: its type, its code and where it was thrown. Its message is left out, since
 * the database quotes values and statements in it.
 */
export function describeFailure(error: unknown): { error: object } {
  if (!(error instanceof Error)) return { error: { name: typeof error } };
  const code = (error as { code?: unknown }).code;
  const frames = stackFrames(error);
  const cause = error.cause === undefined ? {} : { cause: describeFailure(error.cause).error };
  return { error: { name: error.name, ...(typeof code === 'string' && { code }), frames, ...cause } };
}
