import { type LogResult, procedures } from '@annals/contract';
import { appendActivities, type Principal, requireScope } from '@annals/core';
import type { TRPCError } from '@trpc/server';
import type { RouterRequest } from './ask-router.ts';
import type { AnnalsCall } from './call.ts';
import { decodeInput } from './decode-input.ts';
import { encodeLogResult } from './encode-log-result.ts';
import { encodeOutput } from './encode-output.ts';
import { toTrpcError } from './error-info.ts';
import { isHotLog } from './hot-log.ts';
import { contextOf, errorShape } from './procedure.ts';
import { headersOf } from './response-meta.ts';

/**
 * Answer the usual `activity.log` as the router does, without what the router takes for any procedure: alone or as
 * the calls of a batch, from a caller that may write, with an input that the schema accepts.
 *
 * Returns the answer; or the request, still to be read, for the router to answer whatever else it is. The router
 *         remains the definition of both: a test sends it the same requests.
 */
export async function answerLog(request: Request, log: RouterRequest): Promise<Response | Request> {
  const { call } = log;
  if (!isHotLog(request, log.path)) return request;
  const principal = await admit(call);
  if (!principal) return request;
  const body = await readBody(request);
  if (body instanceof Request) return body;
  const inputs = inputsOf(body, log.path.split(',').length, isBatch(request));
  if (!inputs) return withBody(request, body);
  const answers = await Promise.all(inputs.map((input) => answerCall(input, { ...log, principal, request })));
  return respond(answers, call.requestId, isBatch(request));
}

const procedureName = 'activity.log';
const { input: LogInput, scopes } = procedures[procedureName];

function isBatch({ url }: Request): boolean {
  return url.endsWith('?batch=1');
}

/** Undefined for a caller who may not: that, too, is the router's to tell. */
async function admit(call: AnnalsCall): Promise<Principal | undefined> {
  try {
    const principal = await call.authenticate();
    requireScope(principal, scopes);
    return principal;
  } catch {
    return undefined;
  }
}

async function readBody(request: Request): Promise<string | Request> {
  try {
    return await request.text();
  } catch (error) {
    return withBody(request, new ReadableStream({ start: (body) => body.error(error) }));
  }
}

/** The same request, whose body was read already. */
function withBody({ url, method, headers, signal }: Request, body: string | ReadableStream): Request {
  // As limitBody.
  const init = { method, headers, signal, body, duplex: 'half' } as RequestInit;
  return new Request(url, init);
}

type ParsedInput = ReturnType<typeof LogInput.parse>;

/** Undefined where one of them is for the router to refuse. */
function inputsOf(body: string, calls: number, batch: boolean): ParsedInput[] | undefined {
  try {
    const json: unknown = JSON.parse(body);
    if (batch && Array.isArray(json)) return undefined;
    const wires = batch ? Array.from({ length: calls }, (_, at) => (json as Batch)[at]) : [json];
    const parsed = wires.map((wire) => LogInput.safeParse(decodeInput(wire)));
    return parsed.every(({ success }) => success) ? parsed.map(({ data }) => data as ParsedInput) : undefined;
  } catch {
    return undefined;
  }
}

type Batch = Readonly<Record<number, unknown>>;

type Answer = { readonly result: LogResult } | { readonly error: TRPCError };

interface Answering extends RouterRequest {
  readonly principal: Principal;
  readonly request: Request;
}

async function answerCall(
  input: ParsedInput,
  { call, principal, request, onFailed }: Answering,
): Promise<Answer> {
  try {
    // To make a signal costs something, and only a wait for a checkpoint ends with it.
    const signal = input.ack === 'sequenced' ? request.signal : undefined;
    const context = { tenantId: input.tenantId, write: true, signal };
    const ctx = await contextOf({ annals: call, principal }, context);
    const result = await appendActivities({ ctx, input, signal });
    call.onLogged?.(result);
    return { result };
  } catch (cause) {
    const error = toTrpcError(cause);
    onFailed(error, procedureName);
    return { error };
  }
}

function respond(answers: readonly Answer[], requestId: string, batch: boolean): Response {
  const errors = answers.flatMap((answer) => ('error' in answer ? [answer.error] : []));
  const bodies = answers.map(encodeAnswer);
  const headers = { 'content-type': 'application/json', ...headersOf(errors, requestId), vary };
  return new Response(batch ? `[${bodies.join(',')}]` : bodies[0], { status: statusOf(answers), headers });
}

/** As tRPC says of every answer. */
const vary = 'trpc-accept, accept';

function encodeAnswer(answer: Answer): string {
  if ('result' in answer) return `{"result":{"data":${encodeLogResult(answer.result)}}}`;
  return JSON.stringify({ error: encodeOutput(errorShape({ error: answer.error, path: procedureName })) });
}

/** The one that all calls have, or that of a mixture. */
function statusOf(answers: readonly Answer[]): number {
  const statuses = answers.map((answer) =>
    'result' in answer ? 200 : errorShape({ error: answer.error }).data.httpStatus,
  );
  return statuses.every((status) => status === statuses[0]) ? (statuses[0] as number) : 207;
}
