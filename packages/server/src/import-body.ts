import { addAbortSignal, pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AnnalsError } from '@annals/contract';

/**
 * The bytes of a request's body as they are asked for, decompressed where it says so: no more is read than that takes.
 *
 * Errors  `invalid_input` for another encoding, at once, and for what is no gzip, or is cut, when it comes to that;
 *         `timeout` when the caller goes away.
 */
export function readImport(request: Request, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const gzip = isGzip(request);
  if (!request.body) return Readable.from([]);
  const body = Readable.fromWeb(request.body);
  addAbortSignal(signal, body);
  // Who reads the last stream meets the failure of any, so that nothing is left to do here.
  const bytes = gzip ? pipeline(body, createGunzip({ chunkSize: chunkBytes }), () => undefined) : body;
  return failingAs(bytes);
}

const chunkBytes = 64 * 1024;

function isGzip({ headers }: Request): boolean {
  const encoding = (headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding === 'gzip') return true;
  if (encoding === 'identity') return headers.get('content-type') === 'application/gzip';
  const message = 'must be gzip, or left out';
  throw new AnnalsError({ code: 'invalid_input', message, path: 'content-encoding' });
}

async function* failingAs(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    const unpacking = typeof code === 'string' && code.startsWith('Z_');
    throw unpacking
      ? new AnnalsError(
          { code: 'invalid_input', message: 'the body must be whole gzip', path: 'body' },
          { cause },
        )
      : new AnnalsError({ code: 'timeout', message: 'the caller went away' }, { cause });
  }
}
