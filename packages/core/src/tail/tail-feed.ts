import { type Activity, type Filter, formatQuery, limits } from '@annals/contract';
import { read, sightOf } from '../activity/read.ts';
import { toActivity } from '../activity/row.ts';
import { type Condition, whereActivity } from '../activity/where.ts';
import type { Context } from '../context.ts';
import type { Database } from '../database/database.ts';
import type { LogPlace } from '../log/follower-place.ts';
import type { LogRange } from '../log/read-rows.ts';
import { readTail, type TailRow } from './read-tail.ts';

/** What a filter selects of a part of the log, and the place behind that part. */
export interface TailStep {
  readonly activities: readonly Activity[];
  readonly next: LogPlace;
}

/** A reader's seat at the feed of its tenant. */
export interface TailSeat {
  /**
   * What the filter selects from the start of a range on, which must not be empty. The activities are shared with
   * other readers: to be read only. Errors  `timeout`, `unavailable`.
   */
  take(range: LogRange): Promise<TailStep>;
  leave(): void;
}

/** Readers with equal filters and equal sight. */
interface Group {
  readonly key: string;
  readonly condition: Condition;
  readonly personal: boolean;
  readers: number;
}

/** One reading of a part of the log for all groups that there were at its beginning. */
interface Reading {
  readonly range: LogRange;
  readonly groups: ReadonlySet<Group>;
  /** Undefined when it failed. */
  readonly found: Promise<ReadonlyMap<Group, readonly Found[]> | undefined>;
}

interface Found {
  readonly index: number;
  readonly activity: Activity;
}

/** What the readers of one tenant share in this process. */
interface Feed {
  readonly groups: Map<string, Group>;
  /** The newest last; what is older than `keptMs` is gone, also so that nobody is told what was erased since. */
  readonly readings: Reading[];
}

const feeds = new WeakMap<Database, Map<string, Feed>>();

const stepMax = limits.tailActivitiesMax;
const readingsMax = 8;
const keptMs = 1_000;
/** Who is farther from the end of the log reads by itself. */
const nearMax = stepMax * readingsMax;
/** Entries that one reading of one's own looks at. */
const alonePartMax = 4_096;

/**
 * Take a seat among those who read the log of the call's tenant.
 *
 * Near the end of the log, readers share what is read: one statement for all of them, which the database answers for
 * each filter. It is kept for a moment and within a bound, for those who are a little slower. Who is slower still,
 * or comes from far behind, reads by itself until it is near. So nobody waits for anybody, and no reader has more in
 * memory than the step that it is at.
 */
export function joinFeed(ctx: Context, filter: Filter): TailSeat {
  const feed = feedOf(ctx);
  const group = groupOf(feed, ctx, filter);
  group.readers += 1;
  return {
    take: async (range) => (await takeShared(ctx, { feed, group, range })) ?? takeAlone(ctx, group, range),
    leave: () => {
      group.readers -= 1;
      if (group.readers === 0) feed.groups.delete(group.key);
      const byTenant = feeds.get(ctx.db);
      if (feed.groups.size === 0 && byTenant?.get(ctx.tenantId) === feed) byTenant.delete(ctx.tenantId);
    },
  };
}

function feedOf({ db, tenantId }: Context): Feed {
  const byTenant = feeds.get(db) ?? new Map<string, Feed>();
  feeds.set(db, byTenant);
  const feed = byTenant.get(tenantId) ?? { groups: new Map(), readings: [] };
  byTenant.set(tenantId, feed);
  return feed;
}

function groupOf({ groups }: Feed, ctx: Context, filter: Filter): Group {
  const sight = sightOf(ctx);
  // Equal texts are equal filters.
  const key = `${sight.personal ? 'personal' : 'masked'} ${formatQuery(filter)}`;
  const group = groups.get(key) ?? {
    key,
    condition: whereActivity(filter, sight),
    personal: sight.personal,
    readers: 0,
  };
  groups.set(key, group);
  return group;
}

interface Take {
  readonly feed: Feed;
  readonly group: Group;
  readonly range: LogRange;
}

async function takeShared(ctx: Context, { feed, group, range }: Take): Promise<TailStep | undefined> {
  if (range.end - range.start > nearMax) return undefined;
  const fits = (reading: Reading) => reading.groups.has(group) && covers(reading.range, range);
  const reading = feed.readings.find(fits) ?? beginReading(ctx, feed, range);
  const found = (await reading.found)?.get(group);
  if (!found) return undefined;
  return {
    activities: found.filter(({ index }) => index >= range.start).map(({ activity }) => activity),
    next: { epoch: range.epoch, index: reading.range.end },
  };
}

/** Whether a part that was read holds the first entry of a range, and nothing that a restore has taken back. */
function covers(part: LogRange, range: LogRange): boolean {
  return (
    part.epoch === range.epoch && part.start <= range.start && range.start < part.end && part.end <= range.end
  );
}

function beginReading(ctx: Context, feed: Feed, { epoch, start, end }: LogRange): Reading {
  const groups = [...feed.groups.values()];
  const range = { epoch, start, end: Math.min(end, start + stepMax) };
  const reading: Reading = {
    range,
    groups: new Set(groups),
    // Each of those who share it then reads by itself, and gets the error that is its own.
    found: readFor(ctx, groups, range).catch(() => undefined),
  };
  feed.readings.push(reading);
  if (feed.readings.length > readingsMax) feed.readings.shift();
  setTimeout(() => {
    const at = feed.readings.indexOf(reading);
    if (at >= 0) feed.readings.splice(at, 1);
  }, keptMs).unref();
  return reading;
}

async function readFor(
  ctx: Context,
  groups: readonly Group[],
  range: LogRange,
): Promise<ReadonlyMap<Group, readonly Found[]>> {
  const conditions = groups.map(({ condition }) => condition);
  // Goes on for the others when the one who began it goes away.
  const rows = await ctx.db.transaction(
    ctx.tenantId,
    (tx) => readTail(tx, { range, conditions, rowsMax: stepMax }),
    { timeoutMs: ctx.readTimeoutMs },
  );
  const shown = new Map(
    [...new Set(groups.map(({ personal }) => personal))].map((personal) => [
      personal,
      rows.map((row) => foundIn(row, personal)),
    ]),
  );
  return new Map(
    groups.map((group, at) => [
      group,
      (shown.get(group.personal) ?? []).filter((_, row) => rows[row]?.selected[at]),
    ]),
  );
}

async function takeAlone(ctx: Context, { condition, personal }: Group, range: LogRange): Promise<TailStep> {
  const { epoch, start } = range;
  const end = Math.min(range.end, start + alonePartMax);
  const rows = await read(ctx, (tx) =>
    readTail(tx, { range: { epoch, start, end }, conditions: [condition], rowsMax: stepMax }),
  );
  const found = rows.map((row) => foundIn(row, personal));
  const last = found.length === stepMax ? found.at(-1) : undefined;
  return {
    activities: found.map(({ activity }) => activity),
    next: { epoch, index: last ? last.index + 1 : end },
  };
}

function foundIn(row: TailRow, personal: boolean): Found {
  return { index: row.log_index, activity: toActivity(row, { personal }) };
}
