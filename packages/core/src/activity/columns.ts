import { type FilterField, type FilterFieldName, filterFieldNames, filterFields } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';

/** Where the value of a field stands. */
interface Place {
  readonly column: string;
  readonly type: string;
  /** In the record. Joined with dots, the name under which `erased` lists the field. */
  readonly path: readonly [string, string?];
}

const place = (column: string, path: Place['path'], type = 'text'): Place => ({ column, type, path });

const places = {
  id: place('id', ['id'], 'uuid'),
  scope: place('scope_id', ['scopeId']),
  action: place('action', ['action']),
  kind: place('kind', ['kind'], 'annals.activity_kind'),
  operation: place('operation', ['operation'], 'annals.activity_operation'),
  severity: place('severity', ['severity'], 'annals.activity_severity'),
  outcome: place('outcome', ['outcome'], 'annals.activity_outcome'),
  visibility: place('visibility', ['visibility'], 'annals.activity_visibility'),
  actorType: place('actor_type', ['actor', 'type'], 'annals.activity_actor_type'),
  actor: place('actor_id', ['actor', 'id']),
  actorLabel: place('actor_label', ['actor', 'label']),
  subject: place('subject_id', ['subject', 'id']),
  targetType: place('target_type', ['target', 'type']),
  target: place('target_id', ['target', 'id']),
  targetLabel: place('target_label', ['target', 'label']),
  channel: place('channel', ['channel']),
  source: place('source', ['source']),
  message: place('message', ['message']),
  reason: place('reason', ['reason']),
  ip: place('ip', ['context', 'ip']),
  userAgent: place('user_agent', ['context', 'userAgent']),
  requestId: place('request_id', ['context', 'requestId']),
  sessionId: place('session_id', ['context', 'sessionId']),
  traceId: place('trace_id', ['context', 'traceId']),
  spanId: place('span_id', ['context', 'spanId']),
} satisfies Record<FilterFieldName, Place>;

/** A field of the contract's table with its place. */
export interface FieldColumn extends Place, FilterField {
  readonly name: FilterFieldName;
}

/** Every column that holds one value of a field: what appends write, reads return and filters compare. */
export const fieldColumns: readonly FieldColumn[] = filterFieldNames.map((name) => ({
  name,
  ...filterFields[name],
  ...places[name],
}));

const byName = new Map(fieldColumns.map((field) => [field.name, field]));

export function fieldColumn(name: FilterFieldName): FieldColumn {
  return byName.get(name) as FieldColumn;
}

/** The value of a field in a record; undefined where it has none. */
export function valueAt(record: object, [key, inner]: Place['path']): string | undefined {
  const value = (record as Record<string, unknown>)[key];
  if (inner === undefined) return value as string | undefined;
  return (value as Record<string, string | undefined> | undefined)?.[inner];
}

/** The value of a field in a row, as text; null where the record has none. */
export function fieldText(name: FilterFieldName): RawBuilder<string | null> {
  return sql`${sql.ref(fieldColumn(name).column)}::text`;
}
