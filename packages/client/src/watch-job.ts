import type { Job } from '@annals/contract';
import type { CallOptions } from './options.ts';
import type { Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

/**
 * A job whenever it has moved, until it ends. A stream that breaks is opened again, and goes on with the
 * job as it is then; what has not changed since is not told twice.
 *
 * Errors  `not_found`; `unavailable` after as many failures in a row as a call is tried.
 */
export async function* watchJob(
  transport: Transport,
  id: string,
  options: CallOptions = {},
): AsyncGenerator<Job, void> {
  const input = withTenant(transport, { id }, options);
  // Most programs read no stream, and should not load what does.
  const { subscribe } = await import('./subscribe.ts');
  const { signal } = options;
  let told = '';
  for await (const job of subscribe(transport, { name: 'job.watch', input: () => input, signal })) {
    const state = JSON.stringify(job);
    if (state !== told) yield job;
    told = state;
  }
}
