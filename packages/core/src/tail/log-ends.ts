import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Database } from '../database/database.ts';
import { describeFailure } from '../job/describe-failure.ts';

/** How many entries the tenant's log has in one epoch. */
export interface LogEnd {
  readonly epoch: number;
  readonly size: number;
}

/** Where the logs end of those tenants that somebody reads in this process: one look for all of them. */
export interface LogEnds {
  /** Call back when the tenant's log has moved; returns what ends it. */
  watch(tenantId: string, listener: () => void): () => void;
  /** Of a watched tenant, in the order of its epochs; as they were seen last. */
  of(tenantId: string): readonly LogEnd[];
  /** Until they have been looked at anew. Errors  `unavailable`. */
  refresh(): Promise<void>;
}

type EndServices = Pick<Services, 'db' | 'log'>;

const opened = new WeakMap<Database, LogEnds>();

/** Those of the process; nothing is looked at while nothing is watched. */
export function logEndsOf(services: EndServices): LogEnds {
  const ends = opened.get(services.db) ?? createLogEnds(services);
  opened.set(services.db, ends);
  return ends;
}

/** How often it looks without being woken; and the least time from one look to the next. */
const pollMs = 1_000;
const apartMs = 10;

interface Watched {
  ends: readonly LogEnd[];
  readonly listeners: Set<() => void>;
}

function createLogEnds(services: EndServices): LogEnds {
  const watched = new Map<string, Watched>();
  const refresh = inTurn(() => look(services, watched));
  const lookSometime = () =>
    void refresh().catch((error: unknown) => {
      services.log.warn(describeFailure(error), 'cannot look for what is to be told; trying again');
    });
  let stop: (() => void) | undefined;
  const start = () => {
    const off = services.db.signals.on('annals_log', lookSometime);
    const timer = setInterval(lookSometime, pollMs).unref();
    return () => {
      off();
      clearInterval(timer);
    };
  };
  return {
    watch: (tenantId, listener) => {
      const its = watched.get(tenantId) ?? { ends: [], listeners: new Set() };
      watched.set(tenantId, its);
      stop ??= start();
      // One of its own, so that the same function can watch twice.
      const own = () => listener();
      its.listeners.add(own);
      return () => {
        its.listeners.delete(own);
        if (its.listeners.size === 0 && watched.get(tenantId) === its) watched.delete(tenantId);
        if (watched.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
    of: (tenantId) => watched.get(tenantId)?.ends ?? [],
    refresh,
  };
}

async function look({ db }: EndServices, watched: ReadonlyMap<string, Watched>): Promise<void> {
  const tenants = [...watched.keys()];
  if (tenants.length === 0) return;
  const rows = await db.query(sql<LogEnd & { tenantId: string }>`
    select tenant_id as "tenantId", epoch, size::float8 as size from annals.log_sizes(${tenants}::text[])`);
  const byTenant = Map.groupBy(rows, ({ tenantId }) => tenantId);
  for (const tenantId of tenants) {
    const its = watched.get(tenantId);
    const ends = byTenant.get(tenantId) ?? [];
    if (!its || areEqual(its.ends, ends)) continue;
    its.ends = ends;
    for (const listener of its.listeners) listener();
  }
}

function areEqual(a: readonly LogEnd[], b: readonly LogEnd[]): boolean {
  return (
    a.length === b.length && a.every(({ epoch, size }, at) => epoch === b[at]?.epoch && size === b[at].size)
  );
}

/** One at a time, and whoever asks gets one that begins after the asking: all who wait for it share it. */
function inTurn(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let begunMs = Number.NEGATIVE_INFINITY;
  const begin = async () => {
    await delay(Math.max(0, begunMs + apartMs - performance.now()));
    next = undefined;
    begunMs = performance.now();
    await work();
  };
  return () => {
    next ??= last = last.then(begin, begin);
    return next;
  };
}
