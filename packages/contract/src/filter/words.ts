import { filterFieldNames } from './fields.ts';

/** The keys of times, by the part of the filter that each one sets. */
export const timeKeys = {
  from: 'from',
  to: 'to',
  'recorded.from': 'recordedFrom',
  'recorded.to': 'recordedTo',
} as const;
export type TimeKey = keyof typeof timeKeys;

/** Every key of the query language; `metadata.` and `details.` are followed by a path. */
export const queryKeys: readonly string[] = [
  ...filterFieldNames,
  ...Object.keys(timeKeys),
  'since',
  'tag',
  'tag.all',
  'has',
  'metadata.',
  'details.',
];

/** Operators elsewhere. As bare words they would narrow the search to texts that hold them. */
export const reservedWords: readonly string[] = ['AND', 'OR', 'NOT'];
