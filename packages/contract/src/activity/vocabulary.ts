/** The closed vocabularies of a record. Order matters for `severity` only: later is worse. */
export const actorTypes = ['user', 'system', 'worker', 'integration', 'anonymous'] as const;
export const kinds = [
  'activity',
  'auth',
  'data_access',
  'data_change',
  'api_call',
  'external_call',
  'system',
] as const;
export const operations = ['create', 'read', 'update', 'delete'] as const;
export const severities = ['info', 'warning', 'error', 'critical'] as const;
export const outcomes = ['success', 'failure', 'denied', 'unknown'] as const;
export const visibilities = ['internal', 'client', 'system'] as const;

export type ActorType = (typeof actorTypes)[number];
export type Kind = (typeof kinds)[number];
export type Operation = (typeof operations)[number];
export type Severity = (typeof severities)[number];
export type Outcome = (typeof outcomes)[number];
export type Visibility = (typeof visibilities)[number];
