import type { JsonObject } from '@annals/contract';
import { fieldColumns } from '../activity/columns.ts';
import type { ActivityRow } from '../activity/row.ts';

/** What is to stand in a record instead, by column; the rest of it stays. */
export interface Erasure {
  readonly values: {
    /** Of a column of text, null or what replaces it. */
    readonly [column: string]: unknown;
    readonly tags?: readonly string[];
    readonly metadata?: JsonObject;
    readonly details?: JsonObject | null;
    readonly erased: readonly string[];
  };
  /** The fields that go now, as readers see their names. */
  readonly names: readonly string[];
}

/** A column of text that can be erased; `action` and `target.type` are vocabulary, and stay. */
export interface TextColumn {
  readonly column: string;
  /** As readers see it: `actor.id`. */
  readonly name: string;
}

export const erasableColumns: readonly TextColumn[] = fieldColumns
  .filter(({ name, type }) => type === 'text' && name !== 'action' && name !== 'targetType')
  .map(({ column, path }) => ({ column, name: path.join('.') }));

export const vocabularyColumns: readonly TextColumn[] = fieldColumns
  .filter(({ name }) => name === 'action' || name === 'targetType')
  .map(({ column, path }) => ({ column, name: path.join('.') }));

/** What a record's `erased` lists after these fields went too. */
export function erasedWith(row: ActivityRow, names: readonly string[]): string[] {
  return [...new Set([...(row.erased ?? []), ...names])].toSorted();
}
