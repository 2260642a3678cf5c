import type { LogItem } from './procedures.ts';

/** What became of the lines of an import. Blank ones do not count; the three ends add up to `lines`. */
export interface ImportTotals {
  readonly lines: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly refused: number;
}

/** What became of a line, which counts from 1. The path of a refusal is one within the activity. */
export type ImportedLine = { readonly line: number } & LogItem;
