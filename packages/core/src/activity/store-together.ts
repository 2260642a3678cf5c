import { AnnalsError } from '@annals/contract';
import type { Context } from '../context.ts';
import type { BatchContent } from './new-batch.ts';
import type { NewActivity } from './prepare.ts';
import { type Stored, storeAllNew, storeNew } from './store-new.ts';

/** A call that waits to be told what became of its activities. */
export interface PendingCall {
  readonly ctx: Pick<Context, 'db' | 'clock' | 'tenantId'>;
  readonly activities: readonly NewActivity[];
  /** Exactly one of them is called, once. */
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Store what some calls hold in one transaction, each tenant's in one batch, and tell each call.
 *
 * Where that fails they are stored apart, by tenants and then call by call, so that a call fails by its own
 * activities alone. What is none of theirs, as a lost connection, is told to all.
 */
export async function storeTogether(calls: readonly PendingCall[]): Promise<void> {
  const groups = groupByTenant(calls);
  try {
    const stored = await storeGroups(groups);
    for (const [at, group] of groups.entries()) {
      for (const call of group) call.resolve(stored[at] as Stored);
    }
  } catch (error) {
    const apart = groups.length > 1 ? groups : calls.map((call) => [call]);
    if (apart.length === 1 || error instanceof AnnalsError) for (const call of calls) call.reject(error);
    else for (const each of apart) await storeTogether(each);
  }
}

type Group = readonly PendingCall[];

/** In the order of the tenants: two transactions that hold the same ids wait for each other in one order. */
function groupByTenant(calls: readonly PendingCall[]): Group[] {
  const groups = Map.groupBy(calls, ({ ctx }) => ctx.tenantId);
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

async function storeGroups(groups: readonly Group[]): Promise<Stored[]> {
  const contexts = groups.map(([call]) => (call as PendingCall).ctx);
  const [ctx, ...others] = contexts as [PendingCall['ctx']];
  const recordedAt = ctx.clock.now();
  const contents = groups.map((group, at) => ({
    tenantId: (contexts[at] as PendingCall['ctx']).tenantId,
    activities: firstOfEachId(group),
    recordedAt,
  }));
  return others.length > 0 ? storeAllNew(ctx, contents) : [await storeNew(ctx, contents[0] as BatchContent)];
}

/** The call that came first has the id, as if one had been stored after the other. */
function firstOfEachId(calls: Group): NewActivity[] {
  const firsts = new Map<string, NewActivity>();
  for (const activity of calls.flatMap(({ activities }) => activities)) {
    if (!firsts.has(activity.id)) firsts.set(activity.id, activity);
  }
  return [...firsts.values()];
}
