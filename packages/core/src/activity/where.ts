import { type FieldFilter, type Filter, filterFieldNames, pathRoots } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { endOfTime, timeOfId } from './activity-id.ts';
import { fieldColumn } from './columns.ts';
import { equalsAny } from './where-field.ts';
import { isPresent, pathEqualsAny } from './where-json.ts';
import { textOccurs } from './where-text.ts';

export type Condition = RawBuilder<boolean>;

export interface Sight {
  readonly tenantId: string;
  /** Whether the caller may see personal fields: without, text is not searched in them. */
  readonly personal: boolean;
}

/**
 * The condition that selects the activities of one tenant that a filter describes; the empty filter
 * describes all.
 *
 * Takes   a canonical filter; columns are named without their table. Every value is bound.
 * Nulls   a record without the field never matches `any` and always passes `none`.
 * Caution filters on personal fields are the caller's to refuse (`resolveFilter`).
 */
export function whereActivity(filter: Filter, sight: Sight): Condition {
  return every([sql`tenant_id = ${sight.tenantId}`, ...filterConditions(filter, sight)]);
}

export function every(conditions: readonly Condition[]): Condition {
  return sql`(${sql.join(conditions, sql` and `)})`;
}

function filterConditions(filter: Filter, { personal }: Sight): Condition[] {
  const { severityAtLeast, tag, has, text } = filter;
  return [
    ...times(filter),
    ...filterFieldNames.flatMap((name) =>
      anyNone(filter[name], (values) => equalsAny(fieldColumn(name), values)),
    ),
    ...of(
      severityAtLeast && [severityAtLeast],
      (least) => sql`severity >= ${least}::annals.activity_severity`,
    ),
    ...anyNone(tag, (tags) => sql`tags && ${tags}::text[]`),
    ...(tag?.all ? [sql<boolean>`tags @> ${tag.all}::text[]`] : []),
    ...pathRoots.flatMap((root) =>
      (filter[root] ?? []).flatMap((each) =>
        anyNone(each, (values) => pathEqualsAny({ root, path: each.path }, values)),
      ),
    ),
    ...of(has?.all, isPresent),
    ...of(has?.none, (presence) => fails(isPresent(presence))),
    ...of(text?.all, (term) => textOccurs(term, personal)),
    ...of(text?.none, (term) => fails(textOccurs(term, personal))),
  ];
}

function times({ from, to, recordedFrom, recordedTo, id }: Filter): Condition[] {
  return [
    ...of(from && [from], (date) => sql`occurred_at >= ${at(date)}`),
    ...of(to && [to], (date) => sql`occurred_at < ${at(date)}`),
    ...of(recordedFrom && [recordedFrom], (date) => sql`recorded_at >= ${at(date)}`),
    ...of(recordedTo && [recordedTo], (date) => sql`recorded_at < ${at(date)}`),
    // An id carries the time of its activity: this leaves out all partitions but theirs.
    ...(id?.any ? [sql<boolean>`occurred_at = any(${id.any.map(timeText)}::timestamptz[])`] : []),
  ];
}

function at(date: Date): RawBuilder<Date> {
  return sql`${date.toISOString()}::timestamptz`;
}

/** Of an id that is no UUIDv7 the time means nothing, and it can lie beyond what has a four-digit year. */
function timeText(id: string): string {
  const time = timeOfId(id);
  return time < endOfTime ? time.toISOString() : 'infinity';
}

function anyNone(
  values: FieldFilter | undefined,
  equals: (values: readonly string[]) => Condition,
): Condition[] {
  return [
    ...(values?.any ? [equals(values.any)] : []),
    ...(values?.none ? [fails(equals(values.none))] : []),
  ];
}

/** Also where it is null. */
function fails(condition: Condition): Condition {
  return sql`(${condition}) is not true`;
}

function of<Value>(values: readonly Value[] | undefined, write: (value: Value) => Condition): Condition[] {
  return (values ?? []).map(write);
}
