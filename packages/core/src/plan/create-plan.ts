import { AnnalsError, type JobKind, Plan } from '@annals/contract';
import { v7 } from 'uuid';
import type { Context } from '../context.ts';
import { PlanEntity } from './entity.ts';

/** What a plan tells, but for its envelope. */
export type PlanSummary = Omit<Plan, 'id' | 'tenantId' | 'kind' | 'createdAt' | 'expiresAt'>;

const hourMs = 3_600_000;

export interface NewPlan {
  readonly kind: JobKind;
  /** What the run needs to know; emptied when its job ends. */
  readonly request: object;
  readonly summary: PlanSummary;
}

/** Store a plan; it can be applied within the hour. */
export async function createPlan(ctx: Context, { kind, request, summary }: NewPlan): Promise<Plan> {
  const createdAt = ctx.clock.now();
  const expiresAt = new Date(createdAt.getTime() + hourMs);
  const id = v7({ msecs: createdAt.getTime() });
  const plan = { tenantId: ctx.tenantId, id, kind, createdAt, expiresAt };
  await ctx.db.transaction(ctx.tenantId, (tx) =>
    tx.em.insert(PlanEntity, { ...plan, status: 'open', request, summary }),
  );
  return Plan.parse({ ...plan, ...summary });
}

/** The one answer for a plan that is missing, of another kind, or of another tenant. */
export function planNotFound(): AnnalsError {
  return new AnnalsError({ code: 'not_found', message: 'there is no such plan', path: 'planId' });
}
