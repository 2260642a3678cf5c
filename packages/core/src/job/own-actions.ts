import type { JobKind } from '@annals/contract';

const erasure = {
  requested: 'erasure.requested',
  completed: 'erasure.completed',
  failed: 'erasure.failed',
  cancelled: 'erasure.cancelled',
} as const;

/** The actions of Annals' own records of a job. */
export const ownActions = {
  anonymize: erasure,
  redact: erasure,
  retention: {
    requested: 'retention.requested',
    completed: 'retention.applied',
    failed: 'retention.failed',
    cancelled: 'retention.cancelled',
  },
} as const satisfies Record<JobKind, typeof erasure | object>;
