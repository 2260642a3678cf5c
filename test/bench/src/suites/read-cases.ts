import type { FilterInput } from '@annals/contract';

/** A filter, and the same as a condition of the reference. */
export interface ReadCase {
  readonly name: string;
  readonly filter: FilterInput;
  readonly condition: string;
}

/** Of each field values that are frequent, rare and absent in what `loadRecords` loads. */
const values: readonly (readonly [field: string, column: string, values: readonly string[]])[] = [
  ['actor', 'actor_id', ['usr_0', 'usr_300', 'usr_4000', 'nobody']],
  ['target', 'target_id', ['invoice_0', 'invoice_3000', 'nothing']],
  ['action', 'action', ['invoice.created', 'session.rejected', 'none.done']],
  ['subject', 'subject_id', ['person_0', 'nobody']],
  ['severity', 'severity', ['info', 'warning', 'error', 'critical']],
  ['outcome', 'outcome', ['success', 'failure', 'denied', 'unknown']],
  ['kind', 'kind', ['activity', 'auth', 'api_call', 'external_call', 'system']],
  ['operation', 'operation', ['read', 'create', 'delete']],
  ['visibility', 'visibility', ['client', 'system']],
  ['actorType', 'actor_type', ['user', 'worker', 'anonymous']],
  ['targetType', 'target_type', ['invoice', 'session', 'none']],
  ['channel', 'channel', ['web', 'mobile', 'cli', 'fax']],
  ['scope', 'scope_id', ['brand-0', 'brand-45', 'none']],
];

export const singles: readonly ReadCase[] = [
  { name: 'all', filter: {}, condition: 'true' },
  ...values.flatMap(([field, column, each]) =>
    each.map((value) => ({
      name: `${field} ${value}`,
      filter: { [field]: value },
      condition: `${column} = '${value}'`,
    })),
  ),
  { name: 'severity >= error', filter: { severityAtLeast: 'error' }, condition: `severity >= 'error'` },
  { name: 'action invoice.*', filter: { action: 'invoice.*' }, condition: `action like 'invoice.%'` },
  {
    name: 'three actors',
    filter: { actor: ['usr_1', 'usr_300', 'usr_4000'] },
    condition: `actor_id in ('usr_1', 'usr_300', 'usr_4000')`,
  },
];

export const pairs: readonly ReadCase[] = [
  {
    name: 'actor usr_0, action session.rejected',
    filter: { actor: 'usr_0', action: 'session.rejected' },
    condition: `actor_id = 'usr_0' and action = 'session.rejected'`,
  },
  {
    name: 'actor usr_300, outcome failure',
    filter: { actor: 'usr_300', outcome: 'failure' },
    condition: `actor_id = 'usr_300' and outcome = 'failure'`,
  },
  {
    name: 'action none.done, outcome failure',
    filter: { action: 'none.done', outcome: 'failure' },
    condition: `action = 'none.done' and outcome = 'failure'`,
  },
  {
    name: 'target invoice_0, severity >= error',
    filter: { target: 'invoice_0', severityAtLeast: 'error' },
    condition: `target_id = 'invoice_0' and severity >= 'error'`,
  },
  {
    name: 'channel mobile, kind system',
    filter: { channel: 'mobile', kind: 'system' },
    condition: `channel = 'mobile' and kind = 'system'`,
  },
];

/** What has neither an index nor counts: looked for among all records, the newest first, for so long at most. */
export const searches: readonly ReadCase[] = [
  { name: 'tag tag-0', filter: { tag: 'tag-0' }, condition: `tags && '{tag-0}'` },
  { name: 'tag none', filter: { tag: 'none' }, condition: `tags && '{none}'` },
  { name: 'metadata.plan', filter: { metadata: { plan: 'pro' } }, condition: `metadata ->> 'plan' = 'pro'` },
  {
    name: 'metadata.plan none',
    filter: { metadata: { plan: 'none' } },
    condition: `metadata ->> 'plan' = 'none'`,
  },
  { name: 'request id', filter: { requestId: 'req_none' }, condition: `request_id = 'req_none'` },
  {
    name: 'text "customer payment"',
    filter: { text: 'customer payment' },
    condition: `(message ilike '%customer payment%' or metadata::text ilike '%customer payment%')`,
  },
  {
    name: 'text that nothing has',
    filter: { text: 'zebra' },
    condition: `(message ilike '%zebra%' or metadata::text ilike '%zebra%')`,
  },
];
