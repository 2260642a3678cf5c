import type { Context } from '@annals/core';
import { type Disturbance, disturb } from '@annals/core/testing';
import { contextOf, type TenantModel, type World } from './world.ts';

/** Where a step happens. */
export interface Here {
  readonly world: World;
  readonly tenant: TenantModel;
}

export interface On {
  /** The process that does it. */
  readonly by: number;
  readonly disturbance: Disturbance | undefined;
}

/** `signal` tells that the process is gone. */
type Work = (ctx: Context, signal: AbortSignal) => Promise<void>;

/** Only what was disturbed may fail, and only as a database does that cannot be reached. */
export async function withDisturbance(
  { world, tenant }: Here,
  { by, disturbance }: On,
  work: Work,
): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  const { db, signal, happened } = disturb(ctx.db, world.admin, disturbance);
  try {
    await work({ ...ctx, db }, signal);
  } catch (error) {
    if (!happened() || (error as { code?: unknown }).code !== 'unavailable') throw error;
  }
}
