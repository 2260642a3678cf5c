import { AnnalsError } from '@annals/contract';

/**
 * The request with a body that fails beyond `bytesMax`, read no further than that.
 *
 * A `content-length` is taken at its word, since every HTTP server holds the sender to it; a body that comes
 * without, in chunks, is counted as it is read.
 * Errors  `too_large`, at once by the header or while the body is read.
 */
export function limitBody(request: Request, bytesMax: number): Request {
  const length = request.headers.get('content-length');
  if (length !== null) {
    if (Number(length) > bytesMax) throw tooLarge(bytesMax);
    return request;
  }
  if (!request.body) return request;
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) controller.error(tooLarge(bytesMax));
      else controller.enqueue(chunk);
    },
  });
  // Reading while sending is what undici calls half duplex, and it insists on hearing so.
  const init = { body: request.body.pipeThrough(counter), duplex: 'half' } as RequestInit;
  return new Request(request, init);
}

/**
 * Read what is left of a body to nowhere. A sender that is still sending when the answer comes takes the
 * closed connection for a failure of the network, and never sees the answer.
 */
export async function discardBody(request: Request): Promise<void> {
  if (!request.body) return;
  const reader = request.body.getReader();
  try {
    while (!(await reader.read()).done);
  } catch {
    // Too large, or the sender has gone: then nobody waits for the answer either.
  }
}

function tooLarge(limit: number): AnnalsError {
  return new AnnalsError({ code: 'too_large', message: `the body must be at most ${limit} bytes`, limit });
}
