import { z } from 'zod';
import { errorCodes } from '../errors.ts';
import { Filter } from '../filter/index.ts';
import { Batch, hash } from '../integrity.ts';
import { limits } from '../limits.ts';
import { tenantId, text } from '../text.ts';
import { Activity } from './activity.ts';
import type { ActivityInput } from './activity-input.ts';
import { outcomes } from './vocabulary.ts';

/** Which records: a filter object or the same as query text, not both; neither means all. */
export const selection = {
  tenantId: tenantId.optional(),
  filter: Filter.optional(),
  query: z.string().max(limits.queryLengthMax).optional(),
};

/**
 * When to answer: once the activities are `committed`, or `sequenced`, with a signed checkpoint that covers them.
 * That is waited for up to 10 s.
 */
export const acks = ['committed', 'sequenced'] as const;
export type Ack = (typeof acks)[number];

export const LogInput = z.strictObject({
  tenantId: tenantId.optional(),
  ack: z.enum(acks).default('committed'),
  /** Validated one by one with `ActivityInput`, so that a bad one never loses the others. */
  activities: z
    .array(z.custom<ActivityInput>(() => true).meta({ title: 'ActivityInput' }))
    .min(1, 'must hold at least 1 activity')
    .max(limits.activitiesPerCallMax, `must hold at most ${limits.activitiesPerCallMax} activities`),
});
export type LogInput = z.input<typeof LogInput>;

/** What became of one activity, in the order of the call. A duplicate's proof is that of `integrity.proof`. */
export const LogItem = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('stored'),
    id: z.uuid(),
    occurredAt: z.date(),
    recordedAt: z.date(),
    /** Its receipt: the batch, its place there from 0, and its leaf hash, which the log must hold from now on. */
    batchId: z.uuid(),
    position: z.int(),
    leaf: hash,
    /** Its index in the log, and its inclusion in the checkpoint of its batch, where that has one. */
    index: z.int().optional(),
    proof: z.array(hash).max(limits.proofHashesMax).optional(),
  }),
  z.strictObject({ status: z.literal('duplicate'), id: z.uuid(), occurredAt: z.date() }),
  z.strictObject({
    status: z.literal('refused'),
    code: z.enum(errorCodes),
    message: z.string(),
    path: z.string().optional(),
    limit: z.number().optional(),
  }),
]);
export type LogItem = z.output<typeof LogItem>;

export const LogResult = z.strictObject({
  results: z.array(LogItem),
  stored: z.int(),
  duplicates: z.int(),
  refused: z.int(),
  /** `sequenced` when a signed checkpoint covers all that was stored, and something was. */
  ack: z.enum(acks),
  /**
   * The batch that what was stored is part of, with what came at the same time; none when nothing was. The SDK's
   * `logMany` gathers those of its calls.
   */
  batches: z.array(Batch),
});
export type LogResult = z.output<typeof LogResult>;

export const GetInput = z.strictObject({
  tenantId: tenantId.optional(),
  id: z.uuid({ version: 'v7', error: 'must be a UUID of version 7' }).toLowerCase(),
});

export const orders = ['newest', 'oldest'] as const;

export const ListInput = z.strictObject({
  ...selection,
  order: z.enum(orders).default('newest'),
  /** `next` or `previous` of an earlier page of the same filter and order. */
  cursor: z.string().max(256).optional(),
  limit: z.int().min(1).max(limits.pageSizeMax).default(limits.pageSizeDefault),
});
export type ListInput = z.output<typeof ListInput>;

/** As `ListInput`, for all of it in one answer. */
export const ExportInput = z.strictObject({
  ...selection,
  order: z.enum(orders).default('newest'),
  /** To go on with an export that broke off: the id of its last record and the pass that it came with, `<id>.<pass>`. */
  cursor: z.string().max(256).optional(),
});
export type ExportInput = z.output<typeof ExportInput>;

/**
 * One page. A cursor is absent where no record lies beyond that end at the time of the call. With fewer activities than
 * `limit`, or with none, a page can end before the records do: where it would hold more than `pageBytesMax`, or took
 * longer to find than `pageSearchMsMax`. Its cursor goes on from there.
 */
export const Page = z.strictObject({
  activities: z.array(Activity),
  next: z.string().optional(),
  previous: z.string().optional(),
  /**
   * Present where the page ends before the records do: what the filter selects up to this time is told, seen in the
   * direction of the page, and beyond it nothing was looked at.
   */
  searchedTo: z.date().optional(),
});
export type Page = z.output<typeof Page>;

/** Up to where a tail has told: the log's epoch, and how many of its entries lie before. */
const tailCursor = z
  .string()
  .regex(/^[1-9]\d{0,9}\.(?:0|[1-9]\d{0,15})$/, 'must be the cursor of an event of a tail');

/** `start`: with the first activity of the log. `now`: behind the last that it has when the call begins. */
export const tailStarts = ['start', 'now'] as const;

export const TailInput = z.strictObject({
  ...selection,
  from: z.enum(tailStarts).default('now'),
  /** The cursor of the last event received, to go on behind it, whatever `from` says. */
  lastEventId: tailCursor.optional(),
});
export type TailInput = z.output<typeof TailInput>;

/**
 * What has come into the log, in its order: which is the order in which batches were sequenced, not that of
 * `occurredAt`. Without activities it only moves the cursor, at least every 15 s.
 */
export const TailEvent = z.strictObject({
  /** Also the id of the server-sent event. Kept with what was done about the activities, nothing is missed or met twice. */
  cursor: tailCursor,
  activities: z.array(Activity).max(limits.tailActivitiesMax),
});
export type TailEvent = z.output<typeof TailEvent>;

/**
 * Where there were too many to count in time: the activities that occurred before `since` are in none of the counts.
 */
export const Estimate = z.strictObject({ since: z.date() });
export type Estimate = z.output<typeof Estimate>;

export const CountInput = z.strictObject(selection);
/**
 * `capped` says that there are more than `count`, which then equals `limits.countMax`; without `estimate` it is of all
 * that the filter selects.
 */
export const CountResult = z.strictObject({
  count: z.int(),
  capped: z.boolean(),
  estimate: Estimate.optional(),
});
export type CountResult = z.output<typeof CountResult>;

/** What records can be grouped by. `actor` and `target` are ids. */
export const dimensions = [
  'action',
  'actor',
  'actorType',
  'targetType',
  'target',
  'kind',
  'severity',
  'outcome',
  'visibility',
  'channel',
  'scope',
  'operation',
] as const;
export type Dimension = (typeof dimensions)[number];

export const intervals = ['hour', 'day', 'week', 'month'] as const;

/** An IANA time zone name, as Europe/Berlin. */
export const timeZone = z.string().max(64).refine(isTimeZone, 'must be an IANA time zone, as Europe/Berlin');

function isTimeZone(name: string): boolean {
  try {
    // Offsets as +01:00 are accepted there too, but have no daylight saving time: names only.
    return Intl.DateTimeFormat('en', { timeZone: name }) !== undefined && /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

export const StatsInput = z.strictObject({
  ...selection,
  groupBy: z
    .array(z.enum(dimensions))
    .max(limits.statsGroupsMax, `must be at most ${limits.statsGroupsMax} dimensions`)
    .transform((list) => [...new Set(list)])
    .default([]),
  interval: z.enum(intervals).optional(),
  /** Where hours, days, weeks (from Monday) and months begin. */
  timeZone: timeZone.default('UTC'),
  /** Rows returned: with `interval` in time order, else the largest counts first. */
  limit: z.int().min(1).max(limits.statsRowsMax).default(limits.statsRowsDefault),
});
export type StatsInput = z.output<typeof StatsInput>;

export const StatsRow = z.strictObject({
  /** When the interval begins. */
  from: z.date().optional(),
  /** The value of each dimension asked for; null where the record has none. */
  group: z.partialRecord(z.enum(dimensions), z.string().nullable()),
  count: z.int(),
});
/** `truncated` says that there are more rows; without `estimate` the counts are exact. */
export const StatsResult = z.strictObject({
  rows: z.array(StatsRow),
  truncated: z.boolean(),
  estimate: Estimate.optional(),
});
export type StatsResult = z.output<typeof StatsResult>;

export const facetFields = [...dimensions, 'tag', 'source'] as const;
export type FacetField = (typeof facetFields)[number];

export const FacetsInput = z.strictObject({
  ...selection,
  fields: z
    .array(z.enum(facetFields))
    .min(1)
    .max(limits.facetFieldsMax)
    .transform((list) => [...new Set(list)]),
  limit: z.int().min(1).max(limits.facetValuesMax).default(limits.facetValuesDefault),
});
export type FacetsInput = z.output<typeof FacetsInput>;

const ValueCount = z.strictObject({ value: z.string(), count: z.int() });

/** Top values of each field under the filter's other fields, so that a choice in one never hides its siblings. */
export const FacetsResult = z.strictObject({
  facets: z.array(
    z.strictObject({
      field: z.enum(facetFields),
      values: z.array(ValueCount),
      /** Whether there are further values. */
      more: z.boolean(),
      /** Without it the counts are exact. */
      estimate: Estimate.optional(),
    }),
  ),
});
export type FacetsResult = z.output<typeof FacetsResult>;

export const SummaryInput = z.strictObject({
  ...selection,
  actor: text(limits.idLengthMax),
  limit: z.int().min(1).max(limits.facetValuesMax).default(limits.facetValuesDefault),
});
export type SummaryInput = z.output<typeof SummaryInput>;

/** One actor at a glance. */
export const SummaryResult = z.strictObject({
  actor: z.string(),
  total: z.int(),
  firstSeen: z.date().optional(),
  lastSeen: z.date().optional(),
  byAction: z.array(ValueCount),
  byOutcome: z.array(z.strictObject({ value: z.enum(outcomes), count: z.int() })),
  recentTargets: z.array(
    z.strictObject({
      type: z.string(),
      id: z.string().optional(),
      label: z.string().optional(),
      lastSeen: z.date(),
      count: z.int(),
    }),
  ),
  /** What the counts and the targets are of; first and last seen are exact. */
  estimate: Estimate.optional(),
});
export type SummaryResult = z.output<typeof SummaryResult>;
