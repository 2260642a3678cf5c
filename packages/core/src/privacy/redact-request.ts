import { Filter } from '@annals/contract';
import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import { every, whereActivity } from '../activity/where.ts';
import type { Tx } from '../database/database.ts';
import { isErasable, isOwnRecord } from '../job/own-actions.ts';
import { hasField, parseRedactFields, type RedactField } from './redact-fields.ts';

/** What a redact plan asks for, as it is kept in the plan. */
export interface RedactRequest {
  readonly filter: object;
  readonly fields: readonly string[];
  /** Whether the caller could search in personal fields. */
  readonly personal: boolean;
}

export interface Redaction {
  readonly fields: readonly RedactField[];
  /**
   * The records that the filter selects and that have any of the fields; Annals' own only by a filter that names
   * actions.
   */
  readonly where: RawBuilder<boolean>;
}

export function readRedactRequest(tx: Tx, request: RedactRequest): Redaction {
  const fields = parseRedactFields(request.fields);
  const filter = Filter.parse(request.filter);
  const selected = whereActivity(filter, { tenantId: tx.tenantId, personal: request.personal });
  const own = filter.action?.any ? [] : [sql<boolean>`not ${isOwnRecord}`];
  const any = sql<boolean>`(${sql.join(fields.map(hasField), sql` or `)})`;
  return { fields, where: every([isErasable, selected, any, ...own]) };
}
