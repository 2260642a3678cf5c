import type { HoldListInput, HoldListResult } from '@annals/contract';
import type { Verb } from '../context.ts';
import { HoldEntity } from './entity.ts';
import { toHold } from './to-hold.ts';

/** The active holds, then the released ones, the newest of each first. */
export async function listHolds({ ctx, input }: Verb<HoldListInput>): Promise<HoldListResult> {
  const newest = { createdAt: 'desc', id: 'desc' } as const;
  const rows = await ctx.db.transaction(
    ctx.tenantId,
    async (tx) => {
      const active = await tx.em.find(HoldEntity, { releasedAt: null }, { orderBy: newest });
      const limit = input.limit - active.length;
      if (limit <= 0) return active.slice(0, input.limit);
      const released = { releasedAt: { $ne: null } };
      return [...active, ...(await tx.em.find(HoldEntity, released, { orderBy: newest, limit }))];
    },
    { snapshot: true },
  );
  return { holds: rows.map((row) => toHold(row, ctx)) };
}
