import { z } from 'zod';
import { severities } from '../activity/vocabulary.ts';
import { limits } from '../limits.ts';
import { text } from '../text.ts';
import { type FilterField, type FilterFieldName, filterFieldNames, filterFields } from './fields.ts';
import type { FilterInput, Filter as FilterOutput } from './filter.ts';
import { formatQuery } from './format-query.ts';
import { group, isPlainObject, textList, valueList, withoutEmpty } from './group.ts';
import { pathFilters, presence, presenceKey } from './path-schema.ts';
import { fieldValue, filterMoment, oneOf, searchText } from './value.ts';

const tags = () => textList(text(limits.tagLengthMax));
const presences = () => valueList(presence, presenceKey);

const fields = Object.fromEntries(
  filterFieldNames.map((name) => [name, fieldFilter(filterFields[name])]),
) as Record<FilterFieldName, ReturnType<typeof fieldFilter>>;

const shape = z.strictObject({
  from: filterMoment.optional(),
  to: filterMoment.optional(),
  recordedFrom: filterMoment.optional(),
  recordedTo: filterMoment.optional(),
  ...fields,
  severityAtLeast: oneOf(severities).optional(),
  tag: group('any', { any: tags(), all: tags(), none: tags() }),
  metadata: pathFilters,
  details: pathFilters,
  has: group('all', { all: presences(), none: presences() }),
  text: group('all', { all: textList(searchText), none: textList(searchText) }),
});

/**
 * Which activities: the one filter behind query text, API, client, exports and commands.
 *
 * Takes   `FilterInput`: one value or a list instead of a group, dates as text, paths as text.
 * Returns `Filter`, in its canonical form: a copy that shares nothing with the input.
 * Limits  `filterValuesMax` values a field, `filterTermsMax` in all, `queryLengthMax` characters as query text.
 * Refused unknown keys, by name; a range that does not end after it starts.
 */
export const Filter = z
  .preprocess((input: FilterInput, context) => {
    if (!isPlainObject(input)) context.addIssue({ code: 'custom', message: 'must be a filter object' });
    return input;
  }, shape)
  // The parts are validated one by one against the table; together they are a Filter by construction.
  .transform((parts) => (withoutEmpty(parts) ?? {}) as FilterOutput)
  .superRefine(checkWhole);

export type Filter = FilterOutput;

function fieldFilter(field: FilterField) {
  const values = () => textList(fieldValue(field));
  return group('any', { any: values(), none: values() });
}

function checkWhole(filter: Filter, context: z.RefinementCtx): void {
  const refuse = (message: string, path: string[] = []) =>
    context.addIssue({ code: 'custom', message, path });
  if (filter.from && filter.to && filter.from >= filter.to)
    refuse('must be later than the start of the range', ['to']);
  if (filter.recordedFrom && filter.recordedTo && filter.recordedFrom >= filter.recordedTo) {
    refuse('must be later than the start of the range', ['recordedTo']);
  }
  if (countTerms(filter) > limits.filterTermsMax) {
    refuse(`must hold at most ${limits.filterTermsMax} values in all`);
  } else if (formatQuery(filter).length > limits.queryLengthMax) {
    refuse(`must be at most ${limits.queryLengthMax} characters long as query text`);
  }
}

function countTerms({ metadata = [], details = [], ...parts }: Filter): number {
  const groups = Object.values(parts).flatMap((part) =>
    typeof part === 'string' || part instanceof Date ? [] : [part],
  );
  return [...groups, ...metadata, ...details].reduce((count, group) => count + countValues(group), 0);
}

function countValues({
  any = [],
  all = [],
  none = [],
}: Partial<Record<'any' | 'all' | 'none', unknown[]>>): number {
  return any.length + all.length + none.length;
}
