import { AnnalsError, type ImportedLine, type ImportTotals, procedures } from '@annals/contract';
import { requireScope, resolveTenant } from '@annals/core';
import { authenticatingAgain } from './authenticating-again.ts';
import type { AnnalsCall } from './call.ts';
import { errorInfoOf } from './error-info.ts';
import { importActivities } from './import-activities.ts';
import { readImport } from './import-body.ts';
import { logFailure } from './log-failure.ts';
import { createRouteHandler, type RouteOptions } from './route-handler.ts';

export type ImportHandlerOptions = RouteOptions;

/** Where activities are imported, unless it is mounted elsewhere. */
export const importPath = '/api/v1/activities:import';

/**
 * Store activities without a bound on their number: `POST /api/v1/activities:import`, `?tenantId=` with a key of the
 * deployment, NDJSON in, of any length, also as gzip.
 *
 * Answers NDJSON while the body is read: for each line that is not blank, in order, `{line, status, ...}` with what
 *         `activity.log` tells of an activity; with `results=failures` of refused ones alone. Then
 *         `{totals: {lines, stored, duplicates, refused}}`. Blank lines say that the import goes on.
 *         Who does not read the answer stops the reading of the body.
 * Errors  those of `activity.log`, as JSON, under their status, while nothing is answered; else as the last line,
 *         `{error, totals}`. The same may be imported again: what is stored is a duplicate then.
 */
export function createImportHandler(options: ImportHandlerOptions): (request: Request) => Promise<Response> {
  return createRouteHandler(options, { procedure, serve });
}

const procedure = 'import';

async function serve(request: Request, call: AnnalsCall): Promise<Response> {
  if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } });
  const principal = await call.authenticate();
  requireScope(principal, procedures['activity.log'].scopes);
  const { tenantId: named, failuresOnly } = readParams(new URL(request.url).searchParams);
  const { services, requestId } = call;
  const tenantId = await resolveTenant(services, principal, { tenantId: named, write: true });
  // Of the one who reads the answer.
  const leaving = new AbortController();
  const signal = AbortSignal.any([leaving.signal, request.signal]);
  const ctx = { ...services, principal, tenantId, requestId, signal };
  const totals = { lines: 0, stored: 0, duplicates: 0, refused: 0 };
  const groups = importActivities({
    ctx,
    chunks: readImport(request, signal),
    totals,
    onLogged: call.onLogged,
    authenticate: authenticatingAgain(call),
  });
  const body = await answerOf(groups, { call, totals, failuresOnly, leaving });
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
}

interface Params {
  readonly tenantId: string | undefined;
  readonly failuresOnly: boolean;
}

function readParams(params: URLSearchParams): Params {
  const { tenantId, results = 'all', ...others } = Object.fromEntries(params);
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid('only tenantId and results can be asked for', 'query');
  if (results !== 'all' && results !== 'failures') throw invalid('must be all or failures', 'results');
  return { tenantId, failuresOnly: results === 'failures' };
}

function invalid(message: string, path: string): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message, path });
}

interface Answering {
  readonly call: AnnalsCall;
  readonly totals: ImportTotals;
  readonly failuresOnly: boolean;
  /** To be aborted when nobody reads any more. */
  readonly leaving: AbortController;
}

/** Begins with the first group, so that a failure until then is an answer of its own. */
async function answerOf(
  groups: AsyncGenerator<ImportedLine[]>,
  answering: Answering,
): Promise<ReadableStream<Uint8Array>> {
  const { call, totals, failuresOnly, leaving } = answering;
  const encoder = new TextEncoder();
  let group: Promise<IteratorResult<ImportedLine[], void>> | undefined = groups.next();
  await group;
  const nextText = async (): Promise<{ text: string; last: boolean }> => {
    try {
      const { value, done } = await (group ?? groups.next());
      group = undefined;
      if (done) return { text: `${JSON.stringify({ totals })}\n`, last: true };
      return { text: textOf(value, failuresOnly), last: false };
    } catch (error) {
      logFailure(call.services.log, { error, requestId: call.requestId, procedure });
      const info = { ...errorInfoOf(error), requestId: call.requestId };
      return { text: `${JSON.stringify({ error: info, totals })}\n`, last: true };
    }
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { text, last } = await nextText();
        controller.enqueue(encoder.encode(text));
        if (last) controller.close();
      },
      cancel: async (reason) => {
        leaving.abort(reason);
        await groups.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** A blank line where there is nothing to tell: a proxy takes a connection for dead that is silent for long. */
function textOf(lines: readonly ImportedLine[], failuresOnly: boolean): string {
  const told = failuresOnly ? lines.filter(({ status }) => status === 'refused') : lines;
  return told.length === 0 ? '\n' : told.map((line) => `${JSON.stringify(line)}\n`).join('');
}
