import type { JobKind, Scope } from '@annals/contract';
import { hasScope, type Principal, requireScope } from '../context.ts';

/** What a key needs to see and steer a job: what it needs to make the plan. */
const scopeOf: Record<JobKind, Scope> = { anonymize: 'privacy', redact: 'privacy', retention: 'retention' };

/** Errors  `forbidden` without the scope of the job's kind. */
export function requireJobScope(principal: Principal, { kind }: { readonly kind: JobKind }): void {
  requireScope(principal, [scopeOf[kind]]);
}

/** The kinds of jobs that the caller may see. */
export function visibleKinds(principal: Principal): JobKind[] {
  const kinds = Object.keys(scopeOf) as JobKind[];
  return kinds.filter((kind) => hasScope(principal, scopeOf[kind]));
}
