import { procedures } from '@annals/contract';
import type { TRPCError } from '@trpc/server';
import { createAskRouter, type RouterRequest } from './ask-router.ts';
import { createBodyRoom, noRoom } from './body-room.ts';
import { type CallOptions, createCall } from './call.ts';
import { logFailure } from './log-failure.ts';
import { answerLog } from './log-route.ts';
import { noteRequestId } from './request-id-of-error.ts';

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
  /** What the bodies of the calls in hand may take together; 128 MiB unless told otherwise. */
  readonly bodiesBytesMax?: number;
  readonly onError?: (failure: FailedCall) => void;
  readonly onRequest?: (request: ServedRequest) => void;
}

/**
 * Serve the router to any fetch server: Hono, Next, Bun, Deno, a test.
 *
 * Queries may be POSTed too, so that filters stay out of URLs and of the logs that keep them. Every answer
 * carries `x-request-id`. An error is the contract's, in the body as `error.json.data.annals`.
 * Limits  `bodiesBytesMax` of the bodies of all calls in hand: past it, calls fail with `overloaded`, unread.
 *         `callBytesMax` of body, `batchCallsMax` calls of a batch, of `activity.log` alone `logCallsPerRequestMax`.
 */
export function createFetchHandler(options: FetchHandlerOptions): (request: Request) => Promise<Response> {
  const askRouter = createAskRouter();
  const room = createBodyRoom(options.bodiesBytesMax ?? 128 * 1024 * 1024);
  const endpoint = (options.endpoint ?? '/trpc').replace(/\/+$/, '');
  const answer = async (request: Request, asked: RouterRequest) => {
    const answered = await answerLog(request, asked);
    return answered instanceof Response ? answered : askRouter(answered, asked);
  };
  return async (request) => {
    const startedMs = performance.now();
    const call = createCall(request, options);
    const { requestId } = call;
    const path = pathOf(request, endpoint);
    const onFailed = (error: TRPCError, failedPath: string) => {
      const failure = { error, procedure: labelOf(failedPath), requestId };
      noteRequestId(error, requestId);
      logFailure(options.services.log, failure);
      options.onError?.(failure);
    };
    const asked = { call, path, onFailed };
    const leave = room.take(request);
    const response = leave
      ? await answer(request, asked).finally(leave)
      : await askRouter(request, { ...asked, refusal: noRoom() });
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

function labelOf(path: string): string {
  if (Object.hasOwn(procedures, path)) return path;
  return path.split(',').every((part) => Object.hasOwn(procedures, part)) ? 'batch' : 'unknown';
}
