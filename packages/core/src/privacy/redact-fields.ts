import {
  AnnalsError,
  formatPath,
  limits,
  type PathRoot,
  parsePath,
  redactableFields,
} from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { erasableColumns } from './erasure.ts';

/** A field to redact, with its name as readers see it. */
export type RedactField = { readonly name: string } & (
  | { readonly column: string }
  | { readonly root: PathRoot; readonly path: readonly string[] }
);

const wholeFields: readonly string[] = redactableFields;

/**
 * The fields that texts name: one of `redactableFields`, or a path into metadata or details as queries write it.
 *
 * Errors  `invalid_input` at `fields.<index>` for any other.
 */
export function parseRedactFields(texts: readonly string[]): RedactField[] {
  const fields = texts.map(parseField);
  return [...new Map(fields.map((field) => [field.name, field])).values()];
}

function parseField(text: string, index: number): RedactField {
  if (wholeFields.includes(text)) {
    const column = erasableColumns.find(({ name }) => name === text)?.column;
    return { name: text, column: column ?? text };
  }
  const [, root, path] = /^(metadata|details)\.(.*)$/s.exec(text) ?? [];
  if (root === undefined || path === undefined) {
    const known = wholeFields.join(', ');
    throw invalid(index, `is no field to redact: must be one of ${known}, or a path as metadata.user.email`);
  }
  const keys = readPath(path, index);
  return { name: `${root}.${formatPath(keys)}`, root: root as PathRoot, path: keys };
}

function readPath(text: string, index: number): string[] {
  let path: string[];
  try {
    path = parsePath(text);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'QuerySyntaxError') throw error;
    throw invalid(index, `must be a path as metadata.user.email: ${error.message}`);
  }
  if (path.length <= limits.metadataPathDepthMax) return path;
  throw new AnnalsError({
    code: 'invalid_input',
    message: `must be at most ${limits.metadataPathDepthMax} keys deep`,
    path: `fields.${index}`,
    limit: limits.metadataPathDepthMax,
  });
}

function invalid(index: number, message: string): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message, path: `fields.${index}` });
}

/** That a record has a value there; agrees with `redactRow`. */
export function hasField(field: RedactField): RawBuilder<boolean> {
  if ('path' in field) return sql`(${sql.ref(field.root)} #>> ${field.path}::text[]) is not null`;
  if (field.column === 'tags') return sql`tags <> '{}'`;
  if (field.column === 'metadata') return sql`metadata <> '{}'`;
  return sql`${sql.ref(field.column)} is not null`;
}
