import { AnnalsError, ExportInput, limits } from '@annals/contract';
import { type ExportStream, firstProblem, requireScope, resolveTenant, streamActivities } from '@annals/core';
import { authenticatingAgain } from './authenticating-again.ts';
import type { AnnalsCall } from './call.ts';
import { limitBody } from './limit-body.ts';
import { logFailure } from './log-failure.ts';
import { createRouteHandler, type RouteOptions } from './route-handler.ts';

export type ExportHandlerOptions = Omit<RouteOptions, 'onLogged'>;

/** Where exports are had, unless it is mounted elsewhere. */
export const exportPath = '/api/v1/export';

/**
 * Serve all activities of a filter in one answer: `GET /api/v1/export?query=...&order=...`, or `POST` with the input of
 * `activity.export` but `limit` as JSON. `gzip=1` of the URL has it compressed.
 *
 * Answers NDJSON, written as fast as it is read; masked as `activity.export`. The header `x-annals-export` is the pass of
 * the export: with `<id of the last activity>.<pass>` as `cursor` it is gone on with where a connection broke off.
 * An empty line says that the search for the next goes on. A failure on the way breaks the connection.
 * Errors  those of `streamActivities`, as JSON, under their status.
 */
export function createExportHandler(options: ExportHandlerOptions): (request: Request) => Promise<Response> {
  return createRouteHandler(options, { procedure: 'export', serve });
}

async function serve(request: Request, call: AnnalsCall): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'POST') {
    return new Response(null, { status: 405, headers: { allow: 'GET, POST' } });
  }
  const principal = await call.authenticate();
  requireScope(principal, ['export']);
  const { input, gzip } = await readInput(request);
  const { services, requestId } = call;
  const tenantId = await resolveTenant(services, principal, { tenantId: input.tenantId, write: false });
  // Who asks hangs up before the answer begins, and who reads it may leave it without.
  const leaving = new AbortController();
  const signal = AbortSignal.any([request.signal, leaving.signal]);
  const ctx = { ...services, principal, tenantId, requestId, signal };
  const stream = await streamActivities({ ctx, input });
  const body = bytesOf(stream, { call, leaving });
  const headers = { 'content-type': 'application/x-ndjson', 'x-annals-export': stream.pass };
  if (!gzip) return new Response(body, { headers });
  const packed = body.pipeThrough(new CompressionStream('gzip'));
  return new Response(packed, { headers: { ...headers, 'content-type': 'application/gzip' } });
}

interface Asked {
  readonly input: ExportInput;
  readonly gzip: boolean;
}

async function readInput(request: Request): Promise<Asked> {
  const { gzip, ...params } = Object.fromEntries(new URL(request.url).searchParams);
  if (gzip !== undefined && gzip !== '1') throw invalid({ message: 'must be 1 or left out', path: 'gzip' });
  const given = request.method === 'GET' ? params : await readBody(request, params);
  const parsed = ExportInput.safeParse(given);
  if (!parsed.success) throw invalid(firstProblem(parsed.error.issues, ''));
  return { input: parsed.data, gzip: gzip === '1' };
}

/** Filters stay out of URLs, and of the logs that keep them. */
async function readBody(request: Request, params: object): Promise<unknown> {
  const [param] = Object.keys(params);
  if (param !== undefined) throw invalid({ message: 'must stand in the body', path: param });
  const text = await limitBody(request, limits.callBytesMax).text();
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch (cause) {
    throw invalid({ message: 'the body must be JSON', cause });
  }
}

function invalid(problem: { message: string; path?: string; limit?: number; cause?: unknown }): AnnalsError {
  const { cause, ...told } = problem;
  return new AnnalsError({ code: 'invalid_input', ...told }, { cause });
}

/** How long a search that finds nothing goes on before an empty line tells that it does. */
const silentMaxMs = 10_000;

interface Reader {
  readonly call: AnnalsCall;
  /** To be aborted when nobody reads any more. */
  readonly leaving: AbortController;
}

/** Piece by piece as they are asked for: whoever does not read makes nobody read the database. */
function bytesOf(stream: ExportStream, { call, leaving }: Reader): ReadableStream<Uint8Array> {
  const pieces = piecesOf(stream, call);
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { value: bytes } = await pieces.next();
          // Nobody reads any more: what was on its way has nowhere to go.
          if (leaving.signal.aborted) return;
          if (bytes) controller.enqueue(bytes);
          else controller.close();
        } catch (error) {
          if (leaving.signal.aborted) return;
          logFailure(call.services.log, { error, requestId: call.requestId, procedure: 'export' });
          await pieces.return(undefined);
          throw error;
        }
      },
      cancel: async (reason) => {
        leaving.abort(reason);
        await pieces.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

const newline = new TextEncoder().encode('\n');

async function* piecesOf({ chunks }: ExportStream, call: AnnalsCall): AsyncGenerator<Uint8Array, undefined> {
  const checkKey = authenticatingAgain(call);
  let writtenMs = performance.now();
  for await (const { pieces } of chunks) {
    await checkKey();
    // A long search would look to the reader as if nobody were there.
    if (pieces.length === 0 && performance.now() - writtenMs < silentMaxMs) continue;
    yield* pieces.length > 0 ? pieces : [newline];
    writtenMs = performance.now();
  }
  return undefined;
}
