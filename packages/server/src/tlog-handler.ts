import { createHash } from 'node:crypto';
import { AnnalsError, errorStatus, procedures } from '@annals/contract';
import {
  type Context,
  deploymentTenant,
  getCheckpoint,
  getTile,
  type Principal,
  requireScope,
  resolveTenant,
} from '@annals/core';
import type { AnnalsCall } from './call.ts';
import { errorInfoOf } from './error-info.ts';
import { logFailure } from './log-failure.ts';
import { headersOfCodes } from './response-meta.ts';
import { observeRoute, type RouteOptions } from './route-handler.ts';
import { parseTlogPath, type TlogResource } from './tlog-path.ts';

export interface TlogHandlerOptions extends Omit<RouteOptions, 'onLogged'> {
  /** Where the handler is mounted; `/tlog` unless told otherwise. */
  readonly endpoint?: string;
  /** Ask nobody for a key. Entries tell when how many activities were recorded, but none of their values. */
  readonly public?: boolean;
}

/**
 * Serve the logs of tenants as the static files of C2SP tlog-tiles, to any client that knows them: below
 * `/tlog/<tenant>` that of the first epoch, below `/tlog/<tenant>/e2` that of the second, and so on.
 *
 * `checkpoint`                    the newest signed note.
 * `tile/<L>/<N>[.p/<W>]`          hashes. They never change, and say so.
 * `tile/entries/<N>[.p/<W>]`      entries, computed from the records: gone once one of them is purged.
 * Errors  the contract's, as JSON, under their status; what is not there and what the key may not know of look
 *         the same.
 */
export function createTlogHandler(options: TlogHandlerOptions): (request: Request) => Promise<Response> {
  const endpoint = (options.endpoint ?? '/tlog').replace(/\/+$/, '');
  const isPublic = options.public === true;
  return observeRoute(options, {
    procedure: 'tlog',
    serve: (request, call) =>
      serve(request, { call, endpoint, isPublic }).catch((error: unknown) => refuse(error, call)),
  });
}

interface Serving {
  readonly call: AnnalsCall;
  readonly endpoint: string;
  readonly isPublic: boolean;
}

async function serve(request: Request, { call, endpoint, isPublic }: Serving): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } });
  }
  // Who may not read learns nothing of what paths there are.
  const principal = isPublic ? undefined : await call.authenticate();
  if (principal) requireScope(principal, procedures['integrity.tile'].scopes);
  const resource = parseTlogPath(new URL(request.url).pathname.slice(endpoint.length));
  if (!resource) throw notFound();
  const ctx = await contextOf(call, { principal, tenantId: resource.tenantId });
  const file = await readFile(ctx, resource);
  const etag = `"${createHash('sha256').update(file.bytes).digest('base64url').slice(0, 22)}"`;
  const headers = {
    etag,
    'cache-control': `${isPublic ? 'public' : 'private'}, ${file.caching}`,
    ...(isPublic ? { 'access-control-allow-origin': '*' } : { vary: 'authorization' }),
  };
  if (matches(request.headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers });
  const body = request.method === 'HEAD' ? null : new Uint8Array(file.bytes);
  const length = String(file.bytes.length);
  return new Response(body, {
    headers: {
      ...headers,
      'content-type': file.type,
      'content-length': length,
      'x-content-type-options': 'nosniff',
    },
  });
}

interface Caller {
  readonly principal: Principal | undefined;
  readonly tenantId: string;
}

async function contextOf(
  { services, requestId }: AnnalsCall,
  { principal, tenantId }: Caller,
): Promise<Context> {
  if (!principal) {
    const anybody: Principal = { keyId: 'public', keyName: 'public', tenantId, scopes: [] };
    return { ...services, principal: anybody, tenantId, requestId };
  }
  // The deployment's own log, which a call names by naming no tenant, and only its own keys can.
  const isDeployment = tenantId === deploymentTenant && principal.tenantId === deploymentTenant;
  const named = isDeployment ? undefined : tenantId;
  const resolved = await resolveTenant(services, principal, { tenantId: named, write: false });
  return { ...services, principal, tenantId: resolved, requestId };
}

interface File {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly caching: string;
}

async function readFile(ctx: Context, { epoch, path }: TlogResource): Promise<File> {
  if (path === 'checkpoint') {
    const { note } = await getCheckpoint({ ctx, input: { epoch } });
    return { bytes: Buffer.from(note), type: 'text/plain; charset=utf-8', caching: 'no-cache' };
  }
  // Entries never change either, but a cache must not keep what is purged.
  const caching = path.startsWith('tile/entries/') ? 'no-cache' : 'max-age=31536000, immutable';
  return {
    bytes: await getTile({ ctx, input: { epoch, path } }),
    type: 'application/octet-stream',
    caching,
  };
}

function matches(ifNoneMatch: string | null, etag: string): boolean {
  return (ifNoneMatch ?? '').split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}

function refuse(error: unknown, { services, requestId }: AnnalsCall): Response {
  logFailure(services.log, { error, requestId, procedure: 'tlog' });
  const info = errorInfoOf(error);
  // A text that is no path of the log names nothing, as the path of something that is not there.
  const told = info.code === 'invalid_input' ? errorInfoOf(notFound()) : info;
  const headers = {
    'cache-control': 'no-store',
    ...headersOfCodes([told.code]),
  };
  const { code, message } = told;
  return Response.json({ code, message, requestId }, { status: errorStatus[code], headers });
}

function notFound(): AnnalsError {
  return new AnnalsError({ code: 'not_found', message: 'there is no such file' });
}
