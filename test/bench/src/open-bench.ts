import { type ActivityInput, scopes } from '@annals/contract';
import { type Context, openServices, type Services } from '@annals/core';
import { v7 } from 'uuid';

export interface Bench {
  readonly services: Services;
  context(tenantId: string): Context;
  close(): Promise<void>;
}

/** The services of one process on the benchmark's database. */
export async function openBench(url: string): Promise<Bench> {
  const opened = await openServices({ database: { url }, migrate: true });
  const { services } = opened;
  return {
    services,
    close: () => opened.close(),
    context: (tenantId) => ({
      ...services,
      tenantId,
      principal: { keyId: 'bench00000000000', keyName: 'bench', tenantId, scopes },
      requestId: 'bench',
    }),
  };
}

type Fresh = ActivityInput & { id: string };

/** The same activities as new ones: another id, and a time of its own. */
export function freshen(activities: readonly Fresh[], startMs: number): Fresh[] {
  return activities.map((activity, at) => {
    const occurredAt = new Date(startMs + at);
    return { ...activity, occurredAt, id: v7({ msecs: occurredAt.getTime() }) };
  });
}
