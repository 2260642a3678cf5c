import type { JobKind } from '@annals/contract';

const erasure = {
  requested: 'erasure.requested',
  completed: 'erasure.completed',
  cancelled: 'erasure.cancelled',
} as const;

/** The actions of Annals' own records of a job. */
export const ownActions = {
  anonymize: erasure,
  redact: erasure,
  retention: {
    requested: 'retention.requested',
    completed: 'retention.applied',
    cancelled: 'retention.cancelled',
  },
} as const satisfies Record<JobKind, { requested: string; completed: string; cancelled: string }>;

/** How a run removes, for its records: `anonymize`, `pseudonymize`, `redact` or `retention`. */
export function modeOf({ kind, request }: { readonly kind: JobKind; readonly request: object }): string {
  return 'mode' in request && typeof request.mode === 'string' ? request.mode : kind;
}
