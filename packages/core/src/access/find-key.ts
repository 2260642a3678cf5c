import { setImmediate } from 'node:timers/promises';
import type { Scope } from '@annals/contract';
import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Database } from '../database/database.ts';

/** A key as it is stored. */
export interface KeyRow {
  readonly tenantId: string;
  readonly id: string;
  readonly name: string;
  readonly secretHash: Buffer;
  readonly scopes: Scope[];
  readonly revoked: boolean;
  readonly expiresMs: number | null;
}

type FindKey = (id: string) => Promise<KeyRow | undefined>;

const finders = new WeakMap<Database, FindKey>();

/**
 * The key of an id, as the database has it after this call was made: what is remembered could have been revoked since
 * by another process. Calls that come at the same time, or while others are on their way, are asked as one.
 *
 * Errors  those of `Database.query`, of each call that was asked along.
 */
export function findKey({ db }: Pick<Services, 'db'>, id: string): Promise<KeyRow | undefined> {
  const find = finders.get(db) ?? createFinder(db);
  finders.set(db, find);
  return find(id);
}

/** How many statements are on their way at once; what comes meanwhile is gathered for the next. */
const atOnceMax = 2;

type Waiting = Map<string, PromiseWithResolvers<KeyRow | undefined>>;

function createFinder(db: Database): FindKey {
  let waiting: Waiting = new Map();
  let running = 0;
  const run = async () => {
    running += 1;
    for (;;) {
      // What comes in the same turn of the event loop goes along.
      await setImmediate();
      const asked = waiting;
      if (asked.size === 0) break;
      waiting = new Map();
      await answer(db, asked);
    }
    running -= 1;
  };
  return (id) => {
    const answered = waiting.get(id) ?? Promise.withResolvers();
    waiting.set(id, answered);
    if (running < atOnceMax) void run();
    return answered.promise;
  };
}

async function answer(db: Database, asked: Waiting): Promise<void> {
  try {
    const rows = await db.query(sql<KeyRow>`
      select k.tenant_id as "tenantId", k.id, k.name, k.secret_hash as "secretHash", k.scopes,
        k.revoked_at is not null as revoked, (extract(epoch from k.expires_at) * 1000)::float8 as "expiresMs"
      from unnest(${[...asked.keys()]}::text[]) as wanted (id), annals.find_api_key(wanted.id) as k`);
    for (const row of rows) asked.get(row.id)?.resolve(row);
    for (const { resolve } of asked.values()) resolve(undefined);
  } catch (error) {
    for (const { reject } of asked.values()) reject(error);
  }
}
