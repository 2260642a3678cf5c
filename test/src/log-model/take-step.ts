import { createHold, listHolds, releaseHold, rotateLogKey } from '@annals/core';
import { sequenceAll } from '@annals/core/testing';
import { persons } from './activities.ts';
import { append, openLate } from './append.ts';
import { backUp } from './backup.ts';
import { erase, goOn, purge } from './erase.ts';
import { openEpoch, restore, retire, seal, sign } from './sign.ts';
import type { Step, StepOf } from './steps.ts';
import { type Here, withDisturbance } from './with-disturbance.ts';
import { contextOf, type TenantModel, type World } from './world.ts';

type Taking = { readonly [Kind in Step['kind']]: (here: Here, step: StepOf<Kind>) => Promise<void> };

const taking: Taking = {
  append,
  'open late': openLate,
  'commit late': async ({ tenant }) => tenant.late.pop()?.commit(),
  erase,
  purge,
  'go on': goOn,
  hold,
  release,
  sequence: (here, step) =>
    withDisturbance(here, step, async (services) => {
      await sequenceAll({ services }, services.tenantId);
    }),
  sign,
  seal,
  rotate: async ({ world }) => void (await rotateLogKey(world.dir)),
  retire: ({ world }) => retire(world),
  restart: ({ world }, { by }) => world.restart(by),
  'back up': async ({ world, tenant }) => {
    tenant.backup = { ...(await backUp(world.admin, tenant.tenantId)), restored: tenant.restored };
  },
  restore: ({ tenant }) => restore(tenant),
  'open epoch': openEpoch,
};

/** Let one thing happen. What a disturbance makes of it is part of it; any other failure is thrown. */
export async function takeStep(world: World, step: Step): Promise<void> {
  const here = { world, tenant: world.tenants[step.tenant] as TenantModel };
  const take = taking[step.kind] as (here: Here, step: Step) => Promise<void>;
  await take(here, step);
}

async function hold({ world, tenant }: Here, { by, over }: StepOf<'hold'>): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  const person = persons[over];
  const input = person
    ? { name: 'claim', person: { ids: [person], identifiers: [], learn: true, except: [] } }
    : { name: 'claim', query: 'action:contract.*' };
  await createHold({ ctx, input });
}

async function release({ world, tenant }: Here, { by }: StepOf<'release'>): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  const { holds } = await listHolds({ ctx, input: { limit: 100 } });
  const active = holds.find(({ releasedAt }) => !releasedAt);
  if (active) await releaseHold({ ctx, input: { id: active.id } });
}
