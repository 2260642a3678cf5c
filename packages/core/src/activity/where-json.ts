import type { PathRoot, Presence } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { fieldColumn } from './columns.ts';

interface Path {
  readonly root: PathRoot;
  readonly path: readonly string[];
}

/** That the text of the JSON value at the path is one of the values; null where there is none, or JSON null. */
export function pathEqualsAny(path: Path, values: readonly string[]): RawBuilder<boolean> {
  return sql`${textAt(path)} = any(${values}::text[])`;
}

/** That the record has the field, or a value at the path. */
export function isPresent(presence: Presence): RawBuilder<boolean> {
  if (!('field' in presence)) return sql`${textAt(presence)} is not null`;
  if (presence.field === 'tag') return sql`tags <> '{}'`;
  return sql`${sql.ref(fieldColumn(presence.field).column)} is not null`;
}

function textAt({ root, path }: Path): RawBuilder<string | null> {
  return sql`(${sql.ref(root)} #>> ${path}::text[])`;
}
