import type { ErrorInfo } from '@annals/contract';
import { abortable } from './abortable.ts';
import { toError } from './answer.ts';
import type { CallOptions, Settings } from './options.ts';
import { AttemptFailed, createBackoff, retryAfterMsOf } from './retrying.ts';
import { failureOf, type Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

/** A server that sends nothing for longer is gone. */
const silenceMaxMs = 60_000;

/**
 * The bytes of the tenant's audit bundle (NDJSON, docs/format.md), as the server sends them. Beginning is tried
 * again as calls are; a bundle that breaks off is not, since another would be of another time.
 *
 * Errors  as of calls: `not_found` while nothing is signed; `unavailable` when it breaks off.
 */
export async function* readBundle(
  transport: Transport,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array, void> {
  const { signal } = options;
  // Ends the connection when the caller stops iterating, or when it fails.
  const connection = new AbortController();
  const either = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    reader = await begin(transport, options, either);
    for (;;) {
      const { value, done } = await abortable(reader.read(), within(silenceMaxMs, either));
      if (done) return;
      yield value;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw failureOf(error, { timedOut: false, settings: transport.settings });
  } finally {
    connection.abort();
    // Not every fetch ends what it has answered by the signal.
    reader?.cancel().catch(() => undefined);
  }
}

async function begin(
  transport: Transport,
  options: CallOptions,
  signal: AbortSignal,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const { settings } = transport;
  const { tenantId } = withTenant(transport, {}, options);
  const query = tenantId === undefined ? '' : `?tenantId=${encodeURIComponent(tenantId)}`;
  const url = `${settings.url.replace(/\/trpc$/, '')}/api/v1/bundle${query}`;
  const backoff = createBackoff(settings.retry);
  for (;;) {
    try {
      return await open(settings, url, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AttemptFailed) await backoff.pause(error, signal);
      else {
        const timedOut = (error as { name?: unknown } | null)?.name === 'TimeoutError';
        await backoff.pause(new AttemptFailed(failureOf(error, { timedOut, settings }), 0), signal);
      }
    }
  }
}

async function open(
  { headers, timeoutMs, fetch }: Settings,
  url: string,
  signal: AbortSignal,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const response = await abortable(fetch(url, { headers, signal }), within(timeoutMs, signal));
  const type = response.headers.get('content-type') ?? '';
  if (response.ok && type.startsWith('application/x-ndjson') && response.body)
    return response.body.getReader();
  const body = (await response.json().catch(() => undefined)) as ErrorInfo | undefined;
  throw new AttemptFailed(toError(body, response.status), retryAfterMsOf(response.headers, Date.now()));
}

function within(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}
