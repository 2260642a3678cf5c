import { filterFieldNames, pathRoots } from './fields.ts';
import type { Filter, Presence } from './filter.ts';
import { formatPath, quote } from './path.ts';
import { reservedWords, type TimeKey, timeKeys } from './words.ts';

/**
 * The query text of a filter, which `parseQuery` reads back as an equal filter at any time.
 *
 * Takes   a filter in its canonical form, as the schema and `parseQuery` return it.
 * Order   times, fields as in `filterFields`, severity at least, tags, metadata, details, presence, text.
 * Quotes  only what would be read otherwise without them.
 */
export function formatQuery(filter: Filter): string {
  const times = Object.keys(timeKeys) as TimeKey[];
  return [
    ...times.flatMap((key) => pairs(`${key}:`, [filter[timeKeys[key]]], formatMoment)),
    ...filterFieldNames.flatMap((name) => group(name, filter[name])),
    ...pairs('severity:>=', [filter.severityAtLeast], formatValue),
    ...pairs('tag.all:', filter.tag?.all, formatValue),
    ...group('tag', filter.tag),
    ...pathRoots.flatMap((root) =>
      (filter[root] ?? []).flatMap((each) => group(`${root}.${formatPath(each.path)}`, each)),
    ),
    ...pairs('has:', filter.has?.all, formatPresence),
    ...pairs('-has:', filter.has?.none, formatPresence),
    ...pairs('', filter.text?.all, formatWord),
    ...pairs('-', filter.text?.none, formatWord),
  ].join(' ');
}

function group(key: string, values: { any?: string[]; none?: string[] } | undefined): string[] {
  return [...pairs(`${key}:`, values?.any, formatValue), ...pairs(`-${key}:`, values?.none, formatValue)];
}

function pairs<Value>(
  start: string,
  values: readonly (Value | undefined)[] | undefined,
  write: (value: Value) => string,
): string[] {
  return (values ?? []).flatMap((value) => (value === undefined ? [] : start + write(value)));
}

/** A day alone stands for its midnight in UTC. */
function formatMoment(date: Date): string {
  const iso = date.toISOString();
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.replace('.000Z', 'Z');
}

function formatPresence(presence: Presence): string {
  return 'field' in presence ? presence.field : `${presence.root}.${formatPath(presence.path)}`;
}

function formatValue(value: string): string {
  return isBare(value) ? value : quote(value);
}

function formatWord(value: string): string {
  const readOtherwise = value.startsWith('-') || value.includes(':') || reservedWords.includes(value);
  return isBare(value) && !readOtherwise ? value : quote(value);
}

function isBare(value: string): boolean {
  return /^[^\s"]+$/.test(value);
}
