import type { Activity, TailEvent, TailInput } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { sql } from 'kysely';
import { appendActivities } from '../activity/append.ts';
import type { Context } from '../context.ts';
import { sequenceAll } from '../testing.ts';
import { tailActivities } from './tail-activities.ts';

/** For tests: a tail, and what it has told so far. */
export interface TestTail {
  readonly told: Activity[];
  cursor(): string;
  next(): Promise<TailEvent | undefined>;
  /** Read on until it has told so many. */
  until(count: number): Promise<Activity[]>;
  /** Read on until it has come to this place in the log. */
  reach(cursor: string): Promise<Activity[]>;
  end(): Promise<void>;
}

export async function openTail(ctx: Context, input: Partial<TailInput> = {}): Promise<TestTail> {
  const leaving = new AbortController();
  const events = tailActivities({ ctx, input: { from: 'now', ...input }, signal: leaving.signal });
  const told: Activity[] = [];
  let cursor = '';
  const next = async (): Promise<TailEvent | undefined> => {
    const { value } = await events.next();
    if (!value) return undefined;
    told.push(...value.activities);
    ({ cursor } = value);
    return value;
  };
  const tail: TestTail = {
    told,
    cursor: () => cursor,
    next,
    until: async (count) => {
      while (told.length < count) if (!(await next())) break;
      return told;
    },
    reach: async (wanted) => {
      for (let at: string | undefined = cursor; at && at !== wanted; ) at = (await next())?.cursor;
      return told;
    },
    end: async () => {
      leaving.abort();
      await events.return(undefined);
    },
  };
  await next();
  return tail;
}

/** For tests: store so many activities as one batch, and bring it into the log; returns their ids in its order. */
export async function log(ctx: Context, count: number, fields: object = {}): Promise<string[]> {
  const activities = Array.from({ length: count }, () => anActivity(fields));
  await appendActivities({ ctx, input: { activities } });
  await sequenceAll({ services: ctx }, ctx.tenantId);
  return (await idsInLog(ctx)).slice(-count);
}

export function idsOf(activities: readonly Activity[]): string[] {
  return activities.map(({ id }) => id);
}

/** For tests: the ids of all activities that the tenant's log has and that are still there, in its order. */
export async function idsInLog({ db, tenantId }: Pick<Context, 'db' | 'tenantId'>): Promise<string[]> {
  const rows = await db.transaction(tenantId, (tx) =>
    tx.query(sql<{ id: string }>`
      select a.id from annals.activity a
      join annals.batch b on b.tenant_id = a.tenant_id and b.id = a.batch_id
      where a.tenant_id = ${tenantId} and b.first_index is not null
      order by b.epoch, b.first_index + a.position`),
  );
  return rows.map(({ id }) => id);
}
