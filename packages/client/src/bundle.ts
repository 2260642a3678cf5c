import { failureOf } from './answer.ts';
import type { CallOptions } from './options.ts';
import type { Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

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
  const { settings } = transport;
  const { signal } = options;
  const { tenantId } = withTenant(transport, {}, options);
  const query = tenantId === undefined ? '' : `?tenantId=${encodeURIComponent(tenantId)}`;
  // Most programs read none, and should not load what does.
  const { openAgain, readBytes } = await import('./route.ts');
  try {
    const { response, connection } = await openAgain(settings, { path: `/api/v1/bundle${query}`, signal });
    yield* readBytes(response, { connection, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw failureOf(error, { timedOut: false, settings });
  }
}
