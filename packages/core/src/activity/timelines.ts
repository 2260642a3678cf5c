import { actionPrefix, type FieldFilter, type Filter } from '@annals/contract';
import { sql } from 'kysely';
import { fieldColumn } from './columns.ts';
import type { Condition } from './where.ts';
import { equalsAny } from './where-field.ts';

/**
 * Records that an index gives in the order of time, without sorting: those of each strand do, and strands are
 * merged. Records that no other index has in that order are in that of the key.
 */
export interface Timeline {
  readonly strands: readonly Condition[];
  /** Further strands: one for each action that begins so, which is known once they are looked up. */
  readonly prefixes?: readonly string[];
  /** All strands as one condition. */
  readonly whole: Condition;
  /** What else must hold, besides the times; empty where the timeline is just what was asked for. */
  readonly rest: Filter;
}

/** More values of one field are not merged: so many make their records frequent. */
export const strandsMax = 16;

const fields = ['target', 'subject', 'actor', 'action'] as const;

type Timelines = readonly [Timeline, ...Timeline[]];

/** The timelines that hold all records of a filter, each on an index of its own: one of them will do. */
export function timelinesOf(filter: Filter): Timelines {
  const { from: _from, to: _to, ...parts } = filter;
  const [first, ...others] = [
    ...fields.flatMap((field) => ofField(parts, field)),
    ...ofSevere(parts),
    ...ofFailed(parts),
  ];
  return first ? [first, ...others] : [timelineOfAll(filter)];
}

/** Whether a filter is just what one index holds in order, besides the times. */
export function isOneStrand(filter: Filter): boolean {
  const [{ strands, prefixes, rest }, ...others] = timelinesOf(filter);
  return others.length === 0 && strands.length === 1 && !prefixes && Object.keys(rest).length === 0;
}

/** That of the key, whose records must all be looked at. */
export function timelineOfAll({ from: _from, to: _to, ...rest }: Filter): Timeline {
  return { ...ofOne(sql`true`), rest };
}

function ofOne(condition: Condition): Omit<Timeline, 'rest'> {
  return { strands: [condition], whole: condition };
}

function ofField(filter: Filter, field: (typeof fields)[number]): Timeline[] {
  const { [field]: part, ...others } = filter;
  const values = part?.any ?? [];
  if (values.length === 0 || values.length > strandsMax) return [];
  const rest: Filter = part?.none ? { ...others, [field]: { none: part.none } } : others;
  const isPrefix = (value: string) => field === 'action' && actionPrefix(value) !== undefined;
  const prefixes = values.flatMap((value) => (isPrefix(value) ? [actionPrefix(value) ?? value] : []));
  const column = fieldColumn(field);
  const strands = values.flatMap((value) => (isPrefix(value) ? [] : [equalsAny(column, [value])]));
  const whole = equalsAny(column, values);
  return [{ strands, whole, rest, ...(prefixes.length > 0 && { prefixes }) }];
}

/**
 * By partial indexes. Row-level security lets nobody search an index by an enum, whose operators are not leakproof;
 * that an index holds all there is to be found needs no search.
 */
function ofSevere(filter: Filter): Timeline[] {
  const { severityAtLeast, ...others } = filter;
  const severe = ofOne(sql`severity >= 'error'`);
  if (severityAtLeast === 'error') return [{ ...severe, rest: others }];
  const only = severityAtLeast === 'critical' || isAmong(filter.severity, ['error', 'critical']);
  return only ? [{ ...severe, rest: filter }] : [];
}

function ofFailed(filter: Filter): Timeline[] {
  const only = isAmong(filter.outcome, ['failure', 'denied', 'unknown']);
  return only ? [{ ...ofOne(sql`outcome <> 'success'`), rest: filter }] : [];
}

function isAmong(part: FieldFilter | undefined, values: readonly string[]): boolean {
  return part?.any?.every((value) => values.includes(value)) ?? false;
}
