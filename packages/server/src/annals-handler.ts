import { createFetchHandler, type FetchHandlerOptions } from './fetch-handler.ts';
import { createTlogHandler } from './tlog-handler.ts';

export interface AnnalsHandlerOptions extends FetchHandlerOptions {
  /** Serve the logs of all tenants to anybody, without a key; by default a key of the tenant is asked for. */
  readonly tlogPublic?: boolean;
}

/** Serve all that Annals serves: the router at its endpoint, and the logs of tenants as static files at `/tlog`. */
export function createAnnalsHandler(options: AnnalsHandlerOptions): (request: Request) => Promise<Response> {
  const { endpoint: _, tlogPublic = false, ...rest } = options;
  const rpc = createFetchHandler(options);
  const tlog = createTlogHandler({ ...rest, public: tlogPublic });
  return (request) => (new URL(request.url).pathname.startsWith('/tlog/') ? tlog(request) : rpc(request));
}
