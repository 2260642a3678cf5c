import { AnnalsError, type ErrorInfo, errorStatus } from '@annals/contract';
import { deserialize, type SuperJSONResult } from 'superjson';

/**
 * What a server's answer holds, dates as dates.
 *
 * Errors  the AnnalsError that it tells. An answer that is not of Annals is what a proxy says while the server
 *         is away, or the wrong address.
 */
export async function readAnswer(response: Response): Promise<unknown> {
  const body = parseBody(await response.text());
  if (response.ok && body?.result?.data) return deserialize(body.result.data, { inPlace: true });
  throw toError(body?.error, response.status);
}

/** The error that a body or an event tells; `status` serves where it tells none. */
export function toError(error: ErrorEnvelope | undefined, status: number): AnnalsError {
  const info = error?.json?.data?.annals;
  if (info && Object.hasOwn(errorStatus, info.code)) return new AnnalsError(info);
  if (status === 401) return new AnnalsError({ code: 'unauthenticated', message: 'the API key was refused' });
  if (status === 413) return new AnnalsError({ code: 'too_large', message: 'the call was too large' });
  if (status === 429 || status >= 500) {
    return new AnnalsError({ code: 'unavailable', message: `the server answered with HTTP ${status}` });
  }
  const message = `no Annals server answers at this URL (HTTP ${status})`;
  return new AnnalsError({ code: 'not_found', message, path: 'url' });
}

export interface ErrorEnvelope {
  readonly json?: { readonly data?: { readonly annals?: ErrorInfo } };
}

interface Body {
  readonly result?: { readonly data?: SuperJSONResult };
  readonly error?: ErrorEnvelope;
}

function parseBody(text: string): Body | undefined {
  try {
    return JSON.parse(text) as Body;
  } catch {
    return undefined;
  }
}
