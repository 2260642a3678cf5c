import { type RawBuilder, sql } from 'kysely';
import { fieldColumns } from './columns.ts';

const searched: readonly string[] = ['message', 'actorLabel', 'targetLabel', 'action'];

/**
 * That a text occurs in message, labels, action, or a key or value of the metadata, whatever its case; null
 * or false where not. Personal fields are searched for those only who may see them, since a search that
 * finds tells as much as a look.
 */
export function textOccurs(term: string, personal: boolean): RawBuilder<boolean> {
  const pattern = containing(term);
  const fields = fieldColumns.filter(
    (field) => searched.includes(field.name) && (personal || !field.personal),
  );
  return sql`(${sql.join(
    fields.map(({ column }) => sql`${sql.ref(column)} ilike ${pattern}`),
    sql` or `,
  )} or ${metadataHolds(term, pattern)})`;
}

/**
 * The text of the whole object is looked at first, with the term escaped as JSON does. It can match where no
 * key and no value does (a quote or comma between them, the `n` of an escaped line break), so what matches is
 * taken apart.
 */
function metadataHolds(term: string, pattern: string): RawBuilder<boolean> {
  return sql`(metadata::text ilike ${containing(JSON.stringify(term).slice(1, -1))} and exists (
    select from jsonb_path_query(metadata, 'strict $.**') as node
    cross join lateral (
      select node #>> '{}' where jsonb_typeof(node) not in ('object', 'array')
      union all
      select jsonb_object_keys(case jsonb_typeof(node) when 'object' then node else '{}' end)
    ) as part (text)
    where part.text ilike ${pattern}))`;
}

function containing(term: string): string {
  return `%${term.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
