import { errorStatus, limits, procedures } from '@annals/contract';
import type { TRPCError } from '@trpc/server';
import { resolveResponse } from '@trpc/server/http';
import { type CallOptions, createCall } from './call.ts';
import { errorInfoOf, toTrpcError } from './error-info.ts';
import { discardBody, limitBody } from './limit-body.ts';
import { logFailure } from './log-failure.ts';
import { noteRequestId } from './request-id-of-error.ts';
import { createAnnalsRouter } from './router.ts';

/** Calls in one batch. */
export const batchCallsMax = 10;

/** What became of one HTTP request, for metrics: nothing in it is the caller's own text. */
export interface ServedRequest {
  /** A procedure of the contract, `batch` for several, or `unknown`. */
  readonly procedure: string;
  readonly status: number;
  /** Until the answer began; a stream goes on after that. */
  readonly durationMs: number;
}

/** A failure that has been logged already; its error's message and causes may hold personal data. */
export interface FailedCall {
  readonly error: unknown;
  readonly procedure: string;
  readonly requestId: string;
}

export interface FetchHandlerOptions extends CallOptions {
  /** Where the handler is mounted; `/trpc` unless told otherwise. */
  readonly endpoint?: string;
  readonly onError?: (failure: FailedCall) => void;
  readonly onRequest?: (request: ServedRequest) => void;
}

/**
 * Serve the router to any fetch server: Hono, Next, Bun, Deno, a test.
 *
 * Queries may be POSTed too, so that filters stay out of URLs and of the logs that keep them. Every answer
 * carries `x-request-id`. An error is the contract's, in the body as `error.json.data.annals`.
 * Limits  `callBytesMax` of body, `batchCallsMax` calls of a batch.
 */
export function createFetchHandler(options: FetchHandlerOptions): (request: Request) => Promise<Response> {
  const router = createAnnalsRouter();
  const endpoint = (options.endpoint ?? '/trpc').replace(/\/+$/, '');
  return async (request) => {
    const startedMs = performance.now();
    // A streamed answer begins before it is known whether anybody will read the body.
    let answeredWhole = false;
    let admitted = false;
    const onAdmitted = () => {
      admitted = true;
    };
    const call = { ...createCall(request, options), onAdmitted };
    const { requestId } = call;
    const path = pathOf(request, endpoint);
    const { req, error } = admit(request);
    const response = await resolveResponse({
      router,
      req,
      error,
      path,
      createContext: async () => ({ annals: call }),
      allowMethodOverride: true,
      maxBatchSize: batchCallsMax,
      responseMeta: ({ errors, data, eagerGeneration }) => {
        answeredWhole = !eagerGeneration;
        const headers = new Headers({ 'x-request-id': requestId, ...headersOf(errors) });
        return { headers, ...(errors.length === data.length && statusOf(errors)) };
      },
      onError: ({ error, path }) => {
        const failure = { error, procedure: labelOf(path ?? ''), requestId };
        noteRequestId(error, requestId);
        logFailure(options.services.log, failure);
        options.onError?.(failure);
      },
    });
    if (answeredWhole && !admitted && !error) await discardBody(req);
    const durationMs = performance.now() - startedMs;
    options.onRequest?.({ procedure: labelOf(path), status: response.status, durationMs });
    return response;
  };
}

// A path outside the endpoint names no procedure, which is then the answer.
function pathOf(request: Request, endpoint: string): string {
  const { pathname } = new URL(request.url);
  return pathname.startsWith(`${endpoint}/`) ? pathname.slice(endpoint.length + 1) : '';
}

function admit(request: Request): { req: Request; error: TRPCError | null } {
  try {
    return { req: limitBody(request, limits.callBytesMax), error: null };
  } catch (error) {
    return { req: request, error: toTrpcError(error) };
  }
}

function headersOf(errors: readonly TRPCError[]): Record<string, string> {
  const codes = errors.map((error) => errorInfoOf(error).code);
  return {
    ...(codes.includes('unauthenticated') && { 'www-authenticate': 'Bearer' }),
    ...(codes.some((code) => code === 'unavailable' || code === 'overloaded') && { 'retry-after': '1' }),
  };
}

// tRPC's own refusals have statuses of their own; the contract gives each code one.
function statusOf(errors: readonly TRPCError[]): { status?: number } {
  const [status, ...others] = new Set(errors.map((error) => errorStatus[errorInfoOf(error).code]));
  return status === undefined || others.length > 0 ? {} : { status };
}

function labelOf(path: string): string {
  if (Object.hasOwn(procedures, path)) return path;
  return path.split(',').every((part) => Object.hasOwn(procedures, part)) ? 'batch' : 'unknown';
}
