import type { Severity } from '../activity/vocabulary.ts';
import type { FilterFieldName, FilterValue, PathRoot, PresenceField } from './fields.ts';

/**
 * Values of one field. `any`: the field equals one of them. `none`: it equals none of them. A record without
 * the field never matches `any` and always passes `none`.
 */
export interface FieldFilter<Value extends string = string> {
  any?: Value[];
  none?: Value[];
}

/** As `FieldFilter`; `all`: the record has every one of them. */
export interface TagFilter extends FieldFilter {
  all?: string[];
}

/**
 * The JSON value at `path`, compared by its text: the number 5 and the string "5" are both `5`, true is
 * `true`. JSON null counts as absent.
 */
export interface PathFilter extends FieldFilter {
  path: string[];
}

/** A field, or a path into `metadata` or `details`. */
export type Presence = { field: PresenceField } | { root: PathRoot; path: string[] };

/** Which of `all` are there and none of `none` is. */
export interface PresenceFilter {
  all?: Presence[];
  none?: Presence[];
}

/** Case-insensitive substrings of message, labels, action and metadata. All of `all` and none of `none` occur. */
export interface TextFilter {
  all?: string[];
  none?: string[];
}

/**
 * Which activities. All parts must hold; the empty filter selects everything.
 *
 * Canonical: no group is empty, no value occurs twice in one list, `metadata` and `details` name a path once,
 * and absent parts are absent, never undefined. Order of values is kept.
 */
export type Filter = FieldFilters & {
  /** `occurredAt`, inclusive. */
  from?: Date;
  /** `occurredAt`, exclusive. */
  to?: Date;
  /** `recordedAt`, inclusive. */
  recordedFrom?: Date;
  /** `recordedAt`, exclusive. */
  recordedTo?: Date;
  severityAtLeast?: Severity;
  tag?: TagFilter;
  metadata?: PathFilter[];
  details?: PathFilter[];
  has?: PresenceFilter;
  text?: TextFilter;
};

export type FieldFilters = { [Name in FilterFieldName]?: FieldFilter<FilterValue<Name>> };

/** A value as callers may write it; numbers and booleans stand for their text. */
export type Scalar = string | number | boolean;
type Values<Value = Scalar> = readonly Value[] | undefined;
type OneOrMany<Value> = Value | readonly Value[];

/** One value or a list stands for `any`. */
export type FieldFilterInput = OneOrMany<Scalar> | { any?: Values; none?: Values } | undefined;
export type TagFilterInput = OneOrMany<Scalar> | { any?: Values; all?: Values; none?: Values } | undefined;
/** `path` as segments or in the syntax of queries: `plan.name`, `"odd key".y`. */
export interface PathFilterInput {
  path: string | readonly string[];
  any?: Values;
  none?: Values;
}
/** A list, or a record of paths in the syntax of queries: `{ plan: 'pro', 'seats.used': [5, 6] }`. */
export type PathFiltersInput =
  | readonly PathFilterInput[]
  | Readonly<Record<string, OneOrMany<Scalar>>>
  | undefined;
/** A field, or a path as `metadata.plan`. */
export type PresenceInput = string | { field: PresenceField } | { root: PathRoot; path: readonly string[] };
/** One text or a list stands for `all`. */
export type PresenceFilterInput =
  | string
  | readonly PresenceInput[]
  | { all?: Values<PresenceInput>; none?: Values<PresenceInput> }
  | undefined;
/** One value or a list stands for `all`. */
export type TextFilterInput = OneOrMany<Scalar> | { all?: Values; none?: Values } | undefined;
/** A Date, or ISO 8601 text with its zone. */
export type MomentInput = Date | string | undefined;

/** A filter as callers may write it; the schema brings it into the form of `Filter`. */
export type FilterInput = { [Name in FilterFieldName]?: FieldFilterInput } & {
  from?: MomentInput;
  to?: MomentInput;
  recordedFrom?: MomentInput;
  recordedTo?: MomentInput;
  severityAtLeast?: Severity | undefined;
  tag?: TagFilterInput;
  metadata?: PathFiltersInput;
  details?: PathFiltersInput;
  has?: PresenceFilterInput;
  text?: TextFilterInput;
};
