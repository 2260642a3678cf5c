import { AnnalsError, type ErrorInfo, errorStatus } from '@annals/contract';
import type { Settings } from './options.ts';

/**
 * The error that an answer tells; `status` serves where it tells none. An answer that is not of Annals is what
 * a proxy says while the server is away, or the wrong address.
 */
export function toError(info: ErrorInfo | undefined, status: number): AnnalsError {
  if (info && Object.hasOwn(errorStatus, info.code)) return new AnnalsError(info);
  if (status === 401) return new AnnalsError({ code: 'unauthenticated', message: 'the API key was refused' });
  if (status === 413) return new AnnalsError({ code: 'too_large', message: 'the call was too large' });
  if (status === 429 || status >= 500) {
    return new AnnalsError({ code: 'unavailable', message: `the server answered with HTTP ${status}` });
  }
  const message = `no Annals server answers at this URL (HTTP ${status})`;
  return new AnnalsError({ code: 'not_found', message, path: 'url' });
}

/** Everything that is not an answer of Annals failed on the way. */
export function failureOf(
  error: unknown,
  { timedOut, settings }: { readonly timedOut: boolean; readonly settings: Settings },
): AnnalsError {
  if (error instanceof AnnalsError) return error;
  const message = timedOut
    ? `the server did not answer within ${settings.timeoutMs} ms`
    : 'the server cannot be reached';
  return new AnnalsError({ code: 'unavailable', message }, { cause: error });
}
