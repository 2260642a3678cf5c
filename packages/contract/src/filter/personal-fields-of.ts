import { type FilterFieldName, filterFieldNames, filterFields } from './fields.ts';
import type { Filter } from './filter.ts';

/**
 * The fields of a filter, those of `has` included, that need the scope `personal:read`: whoever may filter by
 * a value can find it by guessing.
 */
export function personalFieldsOf(filter: Filter): FilterFieldName[] {
  const present = [...(filter.has?.all ?? []), ...(filter.has?.none ?? [])];
  return filterFieldNames.filter(
    (name) =>
      filterFields[name].personal &&
      (filter[name] !== undefined || present.some((each) => 'field' in each && each.field === name)),
  );
}
