import { AnnalsError, type Hold, type HoldCreateInput, limits } from '@annals/contract';
import { v7 } from 'uuid';
import { ensureRecordPartition, keyActor, recordActivity } from '../activity/record-activity.ts';
import { resolveFilter, seesPersonal } from '../activity/resolve-filter.ts';
import type { Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { resolvePerson } from '../privacy/resolve-person.ts';
import { HoldEntity } from './entity.ts';
import type { HoldRequest } from './hold-request.ts';
import { lockHolds } from './lock-holds.ts';
import { toHold } from './to-hold.ts';

/**
 * Keep what a filter or a person matches, now and later, from being erased or purged.
 *
 * Waits for the chunks of jobs that are in hand; what they have erased by then is gone, and once this returns
 * nothing more goes.
 * Limits  `holdsMax` active ones.
 * Errors  `invalid_input` at `name` beyond the limit, at `person` unless just one of filter, query and person is
 *         given; those of a filter.
 */
export async function createHold({ ctx, input }: Verb<HoldCreateInput>): Promise<Hold> {
  const request = await toRequest({ ctx, input });
  await ensureRecordPartition(ctx);
  const createdAt = ctx.clock.now();
  const { name } = input;
  const { id: createdBy = '' } = keyActor(ctx.principal);
  const hold = {
    tenantId: ctx.tenantId,
    id: v7({ msecs: createdAt.getTime() }),
    name,
    request,
    createdAt,
    createdBy,
  };
  await ctx.db.transaction(ctx.tenantId, async (tx) => {
    await lockHolds(tx, 'exclusive');
    await refuseTooMany(tx);
    await tx.em.insert(HoldEntity, hold);
    // Never whom or what it names: the record outlives the hold.
    await recordActivity(tx, ctx, {
      action: 'annals.hold_created',
      operation: 'create',
      target: { type: 'hold', id: hold.id },
      metadata: { over: request.over },
    });
  });
  return toHold({ ...hold, releasedAt: null, releasedBy: null, releaseReason: null }, ctx);
}

async function toRequest({ ctx, input }: Verb<HoldCreateInput>): Promise<HoldRequest> {
  const { person, filter, query } = input;
  if ((person === undefined) === (filter === undefined && query === undefined)) {
    throw new AnnalsError({
      code: 'invalid_input',
      message: 'must be given, or else filter or query, and not both',
      path: 'person',
    });
  }
  if (person === undefined) {
    return { over: 'filter', filter: resolveFilter(ctx, input), personal: seesPersonal(ctx) };
  }
  const { identifiers } = await ctx.db.transaction(ctx.tenantId, (tx) => resolvePerson(tx, person), {
    snapshot: true,
  });
  return { over: 'person', ids: person.ids, identifiers };
}

/** Exact, since nobody else creates one meanwhile. */
async function refuseTooMany(tx: Tx): Promise<void> {
  const limit = limits.holdsMax;
  if ((await tx.em.count(HoldEntity, { releasedAt: null })) < limit) return;
  throw new AnnalsError({
    code: 'invalid_input',
    message: `cannot be another hold: ${limit} are active, and that is as many as there may be`,
    path: 'name',
    limit,
  });
}
