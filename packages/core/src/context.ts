import { AnnalsError, type Scope } from '@annals/contract';
import type { Clock } from './clock.ts';
import type { Database } from './database/database.ts';
import type { JobQueue } from './job/queue.ts';
import type { Logger } from './logger.ts';

/** The tenant of the deployment itself: its keys stand there, and its own privileged acts are recorded there. */
export const deploymentTenant = '*';

/** Who calls, as an API key proved it. */
export interface Principal {
  readonly keyId: string;
  readonly keyName: string;
  /** The key's tenant, or `deploymentTenant` for a key that may name any. */
  readonly tenantId: string;
  readonly scopes: readonly Scope[];
}

/** What lives as long as the process. */
export interface Services {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queue: JobQueue;
  /** How long one read may run in the database. */
  readonly readTimeoutMs: number;
  /** For how long erasures gather in one manifest before it is sealed; 0: each run seals its own. */
  readonly manifestIntervalMs: number;
}

/** What one call of a verb works with: services, the caller, and the tenant that the call is about. */
export interface Context extends Services {
  readonly principal: Principal;
  /** Checked against the principal: every query of the call is bound to it. */
  readonly tenantId: string;
  readonly requestId: string;
  /** Of whoever waits for the answer: reads end in the database when it goes away. */
  readonly signal?: AbortSignal | undefined;
}

/** The one shape of a verb's argument. */
export interface Verb<Input> {
  readonly ctx: Context;
  readonly input: Input;
}

export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope);
}

/** Throws `forbidden`, naming the scopes, unless the caller has one of them; an empty list asks for none. */
export function requireScope(principal: Principal, anyOf: readonly Scope[]): void {
  if (anyOf.length === 0 || anyOf.some((scope) => hasScope(principal, scope))) return;
  throw new AnnalsError({ code: 'forbidden', message: `the key needs the scope ${anyOf.join(' or ')}` });
}
