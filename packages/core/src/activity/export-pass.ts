import { createHash, randomBytes } from 'node:crypto';
import { AnnalsError, formatQuery, type ListInput } from '@annals/contract';
import { sql } from 'kysely';
import type { Context } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { endOfTime, timeOfId } from './activity-id.ts';
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

export function addPass(cursor: string, { recordId, salt }: ExportPass): string {
  return `${cursor}.${recordId}.${salt}`;
}

const shape =
  /^([\w-]+)\.([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.([\w-]{22})$/;

/** Errors  `invalid_input` at `cursor`. */
export function splitPass(text: string): { readonly cursor: string; readonly pass: ExportPass } {
  const [, cursor, recordId, salt] = shape.exec(text) ?? [];
  if (cursor === undefined || recordId === undefined || salt === undefined) throw invalid();
  if (timeOfId(recordId) >= endOfTime) throw invalid();
  return { cursor, pass: { recordId, salt } };
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
  const message = 'must be the next or previous of a page of the same export, by the same key';
  return new AnnalsError({ code: 'invalid_input', message, path: 'cursor' });
}
