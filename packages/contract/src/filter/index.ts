export {
  type FilterField,
  type FilterFieldKind,
  type FilterFieldName,
  type FilterValue,
  filterFieldNames,
  filterFields,
  type PathRoot,
  type PresenceField,
  pathRoots,
  presenceFields,
} from './fields.ts';
export type {
  FieldFilter,
  FieldFilterInput,
  FilterInput,
  MomentInput,
  PathFilter,
  PathFilterInput,
  PathFiltersInput,
  Presence,
  PresenceFilter,
  PresenceFilterInput,
  PresenceInput,
  Scalar,
  TagFilter,
  TagFilterInput,
  TextFilter,
  TextFilterInput,
} from './filter.ts';
export { formatQuery } from './format-query.ts';
export { parseQuery } from './parse-query.ts';
export { formatPath, parsePath } from './path.ts';
export { personalFieldsOf } from './personal-fields-of.ts';
export { Filter } from './schema.ts';
export { actionPrefix } from './value.ts';
