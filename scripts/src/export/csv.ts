import type { Activity } from '@annals/contract';
import { type Stringifier, stringify } from 'csv-stringify';
import { neutralise } from './neutralise.ts';

type Cell = string | undefined;

/** The columns of an export as CSV, in order. Tags are joined by blanks; metadata and details are JSON. */
export const csvColumns = {
  id: ({ id }) => id,
  occurredAt: ({ occurredAt }) => occurredAt.toISOString(),
  recordedAt: ({ recordedAt }) => recordedAt.toISOString(),
  tenantId: ({ tenantId }) => tenantId,
  scopeId: ({ scopeId }) => scopeId,
  action: ({ action }) => action,
  kind: ({ kind }) => kind,
  operation: ({ operation }) => operation,
  severity: ({ severity }) => severity,
  outcome: ({ outcome }) => outcome,
  visibility: ({ visibility }) => visibility,
  actorType: ({ actor }) => actor.type,
  actorId: ({ actor }) => actor.id,
  actorLabel: ({ actor }) => actor.label,
  subjectId: ({ subject }) => subject?.id,
  targetType: ({ target }) => target?.type,
  targetId: ({ target }) => target?.id,
  targetLabel: ({ target }) => target?.label,
  channel: ({ channel }) => channel,
  source: ({ source }) => source,
  message: ({ message }) => message,
  reason: ({ reason }) => reason,
  ip: ({ context }) => context?.ip,
  userAgent: ({ context }) => context?.userAgent,
  requestId: ({ context }) => context?.requestId,
  sessionId: ({ context }) => context?.sessionId,
  traceId: ({ context }) => context?.traceId,
  spanId: ({ context }) => context?.spanId,
  tags: ({ tags }) => tags.join(' '),
  metadata: ({ metadata }) => JSON.stringify(metadata),
  details: ({ details }) => details && JSON.stringify(details),
  erased: ({ erased }) => erased?.join(' '),
} as const satisfies Record<string, (activity: Activity) => Cell>;

/** The cells of one activity, in the order of `csvColumns`, none of which a spreadsheet executes. */
export function csvRow(activity: Activity): string[] {
  return Object.values(csvColumns).map((cell: (activity: Activity) => Cell) =>
    neutralise(cell(activity) ?? ''),
  );
}

/** Rows as RFC 4180 text with a heading: every cell in quotes, lines ended by CR LF. */
export function createCsvStream(): Stringifier {
  return stringify({
    header: true,
    columns: Object.keys(csvColumns),
    quoted: true,
    record_delimiter: '\r\n',
  });
}
