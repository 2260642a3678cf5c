import { sql } from 'kysely';
import { recordActivity } from '../activity/record-activity.ts';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';

/** Create the transaction's tenant unless it is there; returns whether it was created here. */
export async function ensureTenant(
  tx: Tx,
  ctx: Pick<Context, 'clock' | 'principal' | 'requestId'>,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<boolean> {
  const created = await tx.query(sql<{ id: string }>`
    insert into annals.tenant (id, name, created_at)
    values (${id}, ${name}, ${ctx.clock.now().toISOString()})
    on conflict do nothing returning id`);
  if (created.length === 0) return false;
  const target = { type: 'tenant', id, label: name };
  await recordActivity(tx, ctx, {
    action: 'annals.tenant_created',
    kind: 'activity',
    operation: 'create',
    target,
  });
  return true;
}
