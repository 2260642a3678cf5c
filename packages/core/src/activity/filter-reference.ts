import { BlockList, isIPv4 } from 'node:net';
import { type Activity, actionPrefix, type Filter, type Presence, severities } from '@annals/contract';
import { fieldColumns, valueAt } from './columns.ts';

/**
 * For tests: what a filter means, as plainly as it can be said. Slow, and blind to what the database adds
 * (collations, and the text of objects and arrays).
 */
export function matches(activity: Activity, filter: Filter, personal: boolean): boolean {
  const { from, to, recordedFrom, recordedTo, severityAtLeast, tag, has, text } = filter;
  const tags = activity.tags;
  return [
    !from || activity.occurredAt >= from,
    !to || activity.occurredAt < to,
    !recordedFrom || activity.recordedAt >= recordedFrom,
    !recordedTo || activity.recordedAt < recordedTo,
    !severityAtLeast || severities.indexOf(activity.severity) >= severities.indexOf(severityAtLeast),
    ...fieldColumns.map(({ name, path, kind }) => {
      const value = valueAt(activity, path);
      return passes(filter[name], (each) => value !== undefined && equal[kind](value, each));
    }),
    passes(tag, (each) => tags.includes(each)),
    (tag?.all ?? []).every((each) => tags.includes(each)),
    ...(['metadata', 'details'] as const).flatMap((root) =>
      (filter[root] ?? []).map((part) => {
        const value = textAt(activity[root], part.path);
        return passes(part, (each) => each === value);
      }),
    ),
    (has?.all ?? []).every((each) => isPresent(activity, each)),
    !(has?.none ?? []).some((each) => isPresent(activity, each)),
    (text?.all ?? []).every((term) => occurs(activity, term, personal)),
    !(text?.none ?? []).some((term) => occurs(activity, term, personal)),
  ].every(Boolean);
}

interface AnyNone {
  any?: string[];
  none?: string[];
}

function passes({ any, none }: AnyNone = {}, is: (value: string) => boolean): boolean {
  return (any === undefined || any.some(is)) && !(none ?? []).some(is);
}

const same = (value: string, wanted: string) => value === wanted;
const equal = {
  text: same,
  enum: same,
  uuid: same,
  action: (value: string, wanted: string) => {
    const prefix = actionPrefix(wanted);
    return prefix === undefined ? value === wanted : value.startsWith(prefix);
  },
  ip: inRange,
};

function inRange(address: string, range: string): boolean {
  const [net = '', bits] = range.split('/');
  if (family(net) !== family(address)) return false;
  const list = new BlockList();
  if (bits === undefined) list.addAddress(net, family(net));
  else list.addSubnet(net, Number(bits), family(net));
  return list.check(address, family(address));
}

function family(ip: string): 'ipv4' | 'ipv6' {
  return isIPv4(ip) ? 'ipv4' : 'ipv6';
}

function isPresent(activity: Activity, presence: Presence): boolean {
  if (!('field' in presence)) return textAt(activity[presence.root], presence.path) !== undefined;
  if (presence.field === 'tag') return activity.tags.length > 0;
  return fieldColumns.some(
    ({ name, path }) => name === presence.field && valueAt(activity, path) !== undefined,
  );
}

function textAt(value: unknown, [key, ...rest]: readonly string[]): string | undefined {
  if (key === undefined) return value === undefined || value === null ? undefined : scalarText(value);
  if (Array.isArray(value)) return /^-?\d+$/.test(key) ? textAt(value.at(Number(key)), rest) : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return textAt((value as Record<string, unknown>)[key], rest);
}

/** Numbers in plain decimals, as the database keeps them. */
function scalarText(value: unknown): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  return value.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 20 });
}

function occurs(activity: Activity, term: string, personal: boolean): boolean {
  const { message, actor, target, action, metadata } = activity;
  const texts = [message, personal ? actor.label : undefined, target?.label, action, ...scalars(metadata)];
  return texts.some((text) => text?.toLowerCase().includes(term.toLowerCase()));
}

function scalars(value: unknown): string[] {
  if (value === null) return [];
  if (typeof value !== 'object') return [scalarText(value)];
  if (Array.isArray(value)) return value.flatMap(scalars);
  return Object.entries(value).flatMap(([key, inner]) => [key, ...scalars(inner)]);
}
