import { bundlePath, createBundleHandler } from './bundle-handler.ts';
import { createExportHandler, exportPath } from './export-handler.ts';
import { createFetchHandler, type FetchHandlerOptions } from './fetch-handler.ts';
import { createImportHandler, importPath } from './import-handler.ts';
import { createTlogHandler } from './tlog-handler.ts';

export interface AnnalsHandlerOptions extends FetchHandlerOptions {
  /** Serve the logs of all tenants to anybody, without a key; by default a key of the tenant is asked for. */
  readonly tlogPublic?: boolean;
}

/**
 * Serve all that Annals serves: the router at its endpoint, the logs of tenants as static files at `/tlog`, their
 * audit bundles at `/api/v1/bundle`, their activities at `/api/v1/export`, and take them in at `/api/v1/activities:import`.
 */
export function createAnnalsHandler(options: AnnalsHandlerOptions): (request: Request) => Promise<Response> {
  const { endpoint: _, tlogPublic = false, ...rest } = options;
  const rpc = createFetchHandler(options);
  const tlog = createTlogHandler({ ...rest, public: tlogPublic });
  const bundle = createBundleHandler(rest);
  const activities = createExportHandler(rest);
  const imports = createImportHandler(rest);
  return (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === bundlePath) return bundle(request);
    if (pathname === exportPath) return activities(request);
    if (pathname === importPath) return imports(request);
    return pathname.startsWith('/tlog/') ? tlog(request) : rpc(request);
  };
}
