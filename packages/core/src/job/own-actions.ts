import type { JobKind } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';

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

/**
 * Whether a record is one of Annals' own: of itself, of erasures, of purges. They prove what happened, so that
 * neither a policy nor a filter means them unless it names their actions.
 */
export const isOwnRecord: RawBuilder<boolean> = sql`own`;

/** Annals' own records that explain what a log lacks, or who signs it: without them nothing else verifies. */
export const explainingActions = [
  'annals.manifest_sealed',
  'annals.log_key_rotated',
  'annals.epoch_opened',
] as const;

/** Whether anything of a record may be removed: no filter, erasure or policy means one that explains others. */
export const isErasable: RawBuilder<boolean> = sql`not (own and action = any(${explainingActions}::text[]))`;

/** How a run removes, for its records: `anonymize`, `pseudonymize`, `redact` or `retention`. */
export function modeOf({ kind, request }: { readonly kind: JobKind; readonly request: object }): string {
  return 'mode' in request && typeof request.mode === 'string' ? request.mode : kind;
}
