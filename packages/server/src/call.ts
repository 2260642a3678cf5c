import { randomUUID } from 'node:crypto';
import type { LogResult } from '@annals/contract';
import { authenticate, type Principal, type Services } from '@annals/core';

/** One call from outside, before it is known who makes it. */
export interface AnnalsCall {
  readonly services: Services;
  readonly requestId: string;
  /** Who calls; asked at most once, however many procedures a batch names. */
  authenticate(): Promise<Principal>;
  /** Asked anew, for an answer that goes on. Fails once the caller's key is revoked or has expired. */
  readonly authenticateAgain?: () => Promise<Principal>;
  /** Told that a caller was let in, whose input is read next. */
  readonly onAdmitted?: () => void;
  /** Told what became of the activities of an `activity.log`. */
  readonly onLogged?: (result: LogResult) => void;
}

export interface CallOptions {
  readonly services: Services;
  /** Who makes a request; by default whoever holds the API key in its `Authorization` header. */
  readonly authenticate?: (request: Request) => Promise<Principal>;
  readonly onLogged?: (result: LogResult) => void;
}

/** The context value `annals` that the router's procedures work with, for one request. */
export function createCall(request: Request, options: CallOptions): AnnalsCall {
  let principal: Promise<Principal> | undefined;
  const { services } = options;
  const identify = options.authenticate ?? ((incoming) => authenticate(services, bearerToken(incoming)));
  return {
    services,
    requestId: requestIdOf(request),
    authenticate: () => (principal ??= identify(request)),
    authenticateAgain: () => identify(request),
    ...(options.onLogged && { onLogged: options.onLogged }),
  };
}

/** The caller's `x-request-id` where it is a plain short token, since it goes into logs; else a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get('x-request-id') ?? '';
  return /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : randomUUID();
}

function bearerToken(request: Request): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
}
