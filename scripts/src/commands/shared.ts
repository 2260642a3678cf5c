import { AnnalsError, limits, parseQuery } from '@annals/contract';
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { UsageError } from '../cli/exit.ts';
import { visible } from '../cli/text.ts';

/** `--query`, the same text as in the console and in the API. */
export const queryOption = () =>
  new Option('-q, --query <text>', 'which activities, as actor:alice since:7d');

/** Refuse a query here and show where it goes wrong; the server reads it again. */
export function checkQuery(query: string | undefined): string | undefined {
  if (query === undefined) return undefined;
  try {
    parseQuery(query, { now: new Date() });
  } catch (error) {
    if (!(error instanceof AnnalsError)) throw error;
    // Control characters would move the mark away from what it marks.
    const before = visible(query.slice(0, error.position ?? 0));
    const mark = error.position === undefined ? '' : `\n  ${visible(query)}\n  ${' '.repeat(before.length)}^`;
    throw new UsageError(`--query: ${error.message}${mark}`, { cause: error });
  }
  return query;
}

/** A whole number of at least 1 and at most `max`. */
export function wholeNumber(max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}

/** Values of an option that is repeated or holds commas: both give one list. */
export function listed(text: string, before: readonly string[] | undefined): string[] {
  return [
    ...(before ?? []),
    ...text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  ];
}

/** Values of an option that is repeated, commas included. */
export function repeated(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

export const limitOption = (standard: number, max: number) =>
  new Option('-n, --limit <count>', `at most so many, up to ${max}`)
    .argParser(wholeNumber(max))
    .default(standard);

export const pageSize = limits.pageSizeMax;
