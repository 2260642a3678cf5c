import type { Context } from '../context.ts';
import type { TransactionOptions, Tx } from '../database/database.ts';
import { seesPersonal } from './resolve-filter.ts';
import type { Sight } from './where.ts';

/**
 * Run statements that read the tenant of the call, each within the time that a read may take. They end in the
 * database when the caller goes away.
 */
export function read<T>(
  ctx: Context,
  work: (tx: Tx) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  return ctx.db.transaction(ctx.tenantId, work, {
    timeoutMs: ctx.readTimeoutMs,
    signal: ctx.signal,
    ...options,
  });
}

/** What the caller may see of the tenant of the call. */
export function sightOf(ctx: Context): Sight {
  return { tenantId: ctx.tenantId, personal: seesPersonal(ctx) };
}
