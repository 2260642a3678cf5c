import type { ActivityRow } from '../activity/row.ts';
import { jsonTexts } from './erase-json.ts';
import { erasableColumns, vocabularyColumns } from './erasure.ts';
import type { Person } from './person.ts';

/** One text of a record, with the name of the field that it stands in. */
interface NamedText {
  readonly name: string;
  readonly text: string;
}

const textColumns = [...erasableColumns, ...vocabularyColumns];
const idColumns = ['actor_id', 'subject_id', 'target_id'];

/** Every text of a record: what an erasure must leave without a trace. */
function* rowTexts(row: ActivityRow): Generator<NamedText> {
  for (const { column, name } of textColumns) {
    const text = row[column];
    if (typeof text === 'string') yield { name, text };
  }
  for (const text of row.tags) yield { name: 'tags', text };
  yield* jsonTexts({ root: 'metadata', value: row.metadata });
  yield* jsonTexts({ root: 'details', value: row.details });
  // Only paths: the names of fields are ours.
  for (const text of row.erased ?? []) {
    const [, path] = /^(?:metadata|details)\.(.*)$/s.exec(text) ?? [];
    if (path !== undefined) yield { name: 'erased', text: path };
  }
}

/** The identifiers that occur anywhere in the record, by their place in the person's matcher. */
export function identifiersIn(row: ActivityRow, { matcher }: Person): Set<number> {
  const found = new Set<number>();
  for (const { text } of rowTexts(row)) {
    for (const index of matcher.find(text)) found.add(index);
  }
  return found;
}

/** The fields in which anything of the person stands. */
export function placesOf(row: ActivityRow, person: Person): string[] {
  const places = new Set<string>();
  for (const { name, text } of rowTexts(row)) {
    if (person.matcher.occursIn(text)) places.add(name);
  }
  for (const { column, name } of textColumns) {
    const value = row[column];
    if (idColumns.includes(column) && typeof value === 'string' && person.isPerson(value)) places.add(name);
  }
  return [...places];
}
