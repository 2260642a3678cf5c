import type { JsonObject } from '@annals/contract';
import type { ActivityRow } from '../activity/row.ts';
import { eraseJson } from './erase-json.ts';
import { type Erasure, erasableColumns, erasedWith } from './erasure.ts';
import type { Person } from './person.ts';

/** How a person is erased: with a pseudonym, it stands where the ids stood. */
export interface Anonymization {
  readonly person: Person;
  readonly pseudonym?: string | undefined;
}

/** Of an actor who is the person: what else of the record tells about them. */
const actorColumns = ['actor_id', 'actor_label', 'ip', 'user_agent', 'session_id'];
const targetColumns = ['target_id', 'target_label'];
const idColumns = ['actor_id', 'subject_id', 'target_id'];

/**
 * What of a record is a trace of the person; undefined where nothing is.
 *
 * Who they are in it   as actor: id, label, address, user agent and session; as subject: id; as target: id and
 *                      label. They are the actor when an identifier occurs in its id or is its label, and the
 *                      target when its id is one.
 * Everywhere           a text in which an identifier occurs goes whole; in JSON the value goes, or the key
 *                      with its value; a tag goes.
 */
export function anonymizeRow(row: ActivityRow, { person, pseudonym }: Anonymization): Erasure | undefined {
  const isPersonal = person.matcher.occursIn;
  const own = ownColumns(row, person);
  const values: Record<string, unknown> = {};
  const names: string[] = [];
  for (const { column, name } of erasableColumns) {
    const value = row[column];
    if (typeof value !== 'string') continue;
    if (!own.has(column) && !isPersonal(value)) continue;
    const replaced = own.has(column) && idColumns.includes(column);
    values[column] = replaced ? (pseudonym ?? null) : null;
    names.push(name);
  }
  const tags = row.tags.filter((tag) => !isPersonal(tag));
  if (tags.length < row.tags.length) {
    values['tags'] = tags;
    names.push('tags');
  }
  for (const root of ['metadata', 'details'] as const) {
    const value: JsonObject | null = row[root];
    const json = value && eraseJson({ root, value }, isPersonal);
    if (!json || json.names.length === 0) continue;
    values[root] = json.value;
    names.push(...json.names);
  }
  const erased = erasedWith(row, names).map((name) => withoutPersonalKey(name, isPersonal));
  const before = row.erased ?? [];
  if (names.length === 0 && erased.every((name, at) => name === before[at])) return undefined;
  return { values: { ...values, erased: [...new Set(erased)].toSorted() }, names };
}

/** The columns that are about the person because of who they are in the record. */
function ownColumns(row: ActivityRow, person: Person): Set<string> {
  const is = (column: string) => typeof row[column] === 'string' && person.isPerson(row[column]);
  const actorId = row['actor_id'];
  const isActor =
    is('actor_id') || is('actor_label') || (typeof actorId === 'string' && person.matcher.occursIn(actorId));
  return new Set([
    ...(isActor ? actorColumns : []),
    ...(is('subject_id') ? ['subject_id'] : []),
    ...(is('target_id') ? targetColumns : []),
  ]);
}

/** The name of an erased field; an earlier redaction can have named a path by a key that is personal. */
export function withoutPersonalKey(name: string, isPersonal: (text: string) => boolean): string {
  const [, root, path] = /^(metadata|details)\.(.*)$/s.exec(name) ?? [];
  return root !== undefined && path !== undefined && isPersonal(path) ? `${root}.*` : name;
}
