import { createHash, randomBytes } from 'node:crypto';
import { AnnalsError, formatQuery, type ListInput } from '@annals/contract';
import { sql } from 'kysely';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { endOfTime, timeOfId } from './activity-id.ts';
import { formatCursor } from './cursor.ts';
import { keyActor } from './record-activity.ts';

/**
 * What a cursor of an export carries besides its place: the record of the export that it goes on with. Without
 * it anybody could write a cursor, and export from there with no first page and so no record.
 */
export interface ExportPass {
  /** Id of the record. */
  readonly recordId: string;
  /** With it, and only with it, the record's digest tells what was asked for. */
  readonly salt: string;
}

type Asked = Pick<ListInput, 'filter' | 'query' | 'order'>;

export function mintSalt(): string {
  return randomBytes(16).toString('base64url');
}

/** What stands in the record for what was asked for: of a person's data it must keep nothing. */
export function digestOf({ filter, query, order }: Asked, salt: string): string {
  const asked = JSON.stringify([salt, order, query ?? formatQuery(filter ?? {})]);
  return createHash('sha256').update(asked).digest('base64url');
}

export function addPass(cursor: string, pass: ExportPass): string {
  return `${cursor}.${formatPass(pass)}`;
}

export function formatPass({ recordId, salt }: ExportPass): string {
  return `${recordId}.${salt}`;
}

const id = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const shape = new RegExp(`^(?:(start)|(${id})|([\\w-]+))\\.(${id})\\.([\\w-]{22})$`);

/**
 * The place and the pass of a cursor: that of a page, the id of the record that it goes on behind, or `start`.
 *
 * Returns the place as a page's cursor; none for the start.
 * Errors  `invalid_input` at `cursor`.
 */
export function splitPass(
  text: string,
  order: ListInput['order'],
): { readonly cursor: string | undefined; readonly pass: ExportPass } {
  const [whole, start, recordBefore, page, recordId, salt] = shape.exec(text) ?? [];
  if (whole === undefined || recordId === undefined || salt === undefined) throw invalid();
  if (timeOfId(recordId) >= endOfTime) throw invalid();
  const pass = { recordId, salt };
  if (start !== undefined) return { cursor: undefined, pass };
  if (recordBefore === undefined) return { cursor: page, pass };
  return { cursor: formatCursor(order, { side: 'after', inclusive: false, id: recordBefore }), pass };
}

/** Errors  `invalid_input` at `cursor` unless the caller's key began this very export. */
export async function requireRecorded(
  tx: Tx,
  { principal }: Pick<Context, 'principal'>,
  { asked, pass: { recordId, salt } }: { readonly asked: Asked; readonly pass: ExportPass },
): Promise<void> {
  const found = await tx.query(sql`
    select from annals.activity
    where tenant_id = ${tx.tenantId} and occurred_at = ${timeOfId(recordId).toISOString()}::timestamptz
      and id = ${recordId}::uuid and action = 'annals.exported' and actor_id = ${keyActor(principal).id}
      and metadata ->> 'digest' = ${digestOf(asked, salt)}`);
  if (found.length === 0) throw invalid();
}

function invalid(): AnnalsError {
  const message =
    'must be of the same export, by the same key: the next or previous of a page, or a record and the pass';
  return new AnnalsError({ code: 'invalid_input', message, path: 'cursor' });
}
