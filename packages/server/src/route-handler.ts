import { type AnnalsCall, type CallOptions, createCall } from './call.ts';
import type { ServedRequest } from './fetch-handler.ts';
import { refuse } from './refuse.ts';

export interface RouteOptions extends CallOptions {
  readonly onRequest?: (request: ServedRequest) => void;
}

/** A path beside the router. */
export interface Route {
  /** Its name in logs and metrics. */
  readonly procedure: string;
  readonly serve: (request: Request, call: AnnalsCall) => Promise<Response>;
}

/**
 * Serve a path outside of the router, whose answers are for the caller alone: none is kept by a cache. Those that fail
 * are the error as JSON, under its status.
 */
export function createRouteHandler(
  options: RouteOptions,
  { procedure, serve }: Route,
): (request: Request) => Promise<Response> {
  return observeRoute(options, {
    procedure,
    serve: async (request, call) => {
      const response = await serve(request, call).catch((error: unknown) => refuse(error, call, procedure));
      response.headers.set('cache-control', 'no-store');
      return response;
    },
  });
}

/** As `createRouteHandler`, of a path that answers failures by itself, and says what may be kept. */
export function observeRoute(
  options: RouteOptions,
  { procedure, serve }: Route,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const startedMs = performance.now();
    const call = createCall(request, options);
    const response = await serve(request, call);
    response.headers.set('x-request-id', call.requestId);
    const durationMs = performance.now() - startedMs;
    options.onRequest?.({ procedure, status: response.status, durationMs });
    return response;
  };
}
