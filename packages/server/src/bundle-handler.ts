import { AnnalsError } from '@annals/contract';
import { type Context, exportBundle, requireScope, resolveTenant } from '@annals/core';
import type { AnnalsCall } from './call.ts';
import { logFailure } from './log-failure.ts';
import { createRouteHandler, type RouteOptions } from './route-handler.ts';

export type BundleHandlerOptions = Omit<RouteOptions, 'onLogged'>;

/** Where a bundle is had, unless it is mounted elsewhere. */
export const bundlePath = '/api/v1/bundle';

/**
 * Serve the audit bundle of a tenant's logs: `GET /api/v1/bundle`, `?tenantId=` with a key of the deployment.
 *
 * Answers NDJSON, written as fast as it is read, out of one snapshot. A failure on the way breaks the connection,
 * and the bundle lacks its last line.
 * Errors  those of `exportBundle`, as JSON, under their status.
 */
export function createBundleHandler(options: BundleHandlerOptions): (request: Request) => Promise<Response> {
  return createRouteHandler(options, { procedure: 'bundle', serve });
}

async function serve(request: Request, call: AnnalsCall): Promise<Response> {
  if (request.method !== 'GET') return new Response(null, { status: 405, headers: { allow: 'GET' } });
  const principal = await call.authenticate();
  requireScope(principal, ['export']);
  requireScope(principal, ['personal:read']);
  const tenantId = tenantIdOf(new URL(request.url).searchParams);
  const { services, requestId } = call;
  const resolved = await resolveTenant(services, principal, { tenantId, write: false });
  const ctx = { ...services, principal, tenantId: resolved, requestId };
  const body = await openStream(ctx, request.signal);
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
}

function tenantIdOf(params: URLSearchParams): string | undefined {
  const other = params.keys().find((key) => key !== 'tenantId');
  if (other !== undefined) {
    throw new AnnalsError({
      code: 'invalid_input',
      message: 'only tenantId can be asked for',
      path: 'query',
    });
  }
  return params.get('tenantId') ?? undefined;
}

/** The bytes of a bundle, once the first of them are there: until then a failure is an answer of its own. */
async function openStream(ctx: Context, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const { readable, writable } = new TextEncoderStream();
  const writer = writable.getWriter();
  const begun = Promise.withResolvers<void>();
  const leave = () => void writer.abort(signal.reason).catch(() => undefined);
  signal.addEventListener('abort', leave, { once: true });
  const written = exportBundle({
    ctx,
    input: {
      write: async (text) => {
        begun.resolve();
        // Settles with the stream: whoever reads it meets its failure, and so does what comes next here.
        writer.write(text).catch(() => undefined);
        await writer.ready.catch((cause: unknown) => {
          throw new AnnalsError({ code: 'timeout', message: 'the caller went away' }, { cause });
        });
      },
    },
  });
  written
    .then(
      () => writer.close(),
      async (error: unknown) => {
        logFailure(ctx.log, { error, requestId: ctx.requestId, procedure: 'bundle' });
        await writer.abort(error);
      },
    )
    .catch(() => undefined);
  await Promise.race([begun.promise, written]);
  return readable;
}
