import { randomUUID } from 'node:crypto';
import type { Principal, Services } from '@annals/core';
import { createCallerFactory } from './procedure.ts';
import { createAnnalsRouter } from './router.ts';

export interface CallerOptions {
  readonly services: Services;
  readonly principal: Principal;
  readonly requestId?: string;
}

/**
 * Call procedures in process, without a wire: `createCaller(options).activity.log({ activities })`. Scopes,
 * tenants and schemas hold as over HTTP.
 *
 * Errors  TRPCError, whose `cause` is the AnnalsError; `errorInfoOf` tells either.
 */
export function createCaller({ services, principal, requestId = randomUUID() }: CallerOptions) {
  const annals = { services, requestId, authenticate: async () => principal };
  return createCallerFactory(createAnnalsRouter())({ annals });
}
