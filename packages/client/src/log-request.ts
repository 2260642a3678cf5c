import { type Ack, AnnalsError, type ErrorInfo, type LogResult } from '@annals/contract';
import { abortable } from './abortable.ts';
import { failureOf, toError } from './answer.ts';
import type { Settings } from './options.ts';
import type { PreparedActivity } from './prepare-activity.ts';
import { AttemptFailed, retryAfterMsOf } from './retrying.ts';

/** One call of `activity.log`. */
export interface LogInput {
  readonly tenantId: string | undefined;
  readonly ack: Ack | undefined;
  readonly activities: readonly PreparedActivity[];
}

/**
 * Make some calls of `activity.log` in one request, several of them by tRPC's batch form.
 *
 * Returns of each call, in order, its answer or why it failed.
 * Errors  AttemptFailed for what failed on the way, and for an answer that is none.
 */
export async function requestLog(
  settings: Settings,
  inputs: readonly LogInput[],
  signal: AbortSignal,
): Promise<(LogResult | AttemptFailed)[]> {
  const timeout = AbortSignal.timeout(settings.timeoutMs);
  const either = AbortSignal.any([signal, timeout]);
  try {
    const response = await abortable(post(settings, inputs, either), either);
    const text = await abortable(response.text(), either);
    const answers = readAnswers(text, inputs.length);
    const retryAfterMs = retryAfterMsOf(response.headers, Date.now());
    return inputs.map((input, at) => readAnswer(answers[at], { input, response, retryAfterMs }));
  } catch (error) {
    throw new AttemptFailed(failureOf(error, { timedOut: timeout.aborted, settings }), 0);
  }
}

// `async`, so that a fetch that throws at once is a failure like any other.
async function post({ url, headers, fetch }: Settings, inputs: readonly LogInput[], signal: AbortSignal) {
  const path = inputs.map(() => 'activity.log').join(',');
  const init = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: bodyOf(inputs),
    signal,
  };
  return fetch(inputs.length === 1 ? `${url}/${path}` : `${url}/${path}?batch=1`, init);
}

/** The activities are JSON already, and stand in it as they are. */
function bodyOf(inputs: readonly LogInput[]): string {
  const bodies = inputs.map(({ tenantId, ack, activities }) => {
    const list = activities.map(({ json }) => json).join(',');
    const named = JSON.stringify({ tenantId, ack }).slice(1, -1);
    return `{"json":{${named}${named && ','}"activities":[${list}]}}`;
  });
  return bodies.length === 1
    ? (bodies[0] as string)
    : `{${bodies.map((body, at) => `"${at}":${body}`).join(',')}}`;
}

interface Envelope {
  readonly result?: { readonly data?: { readonly json?: LogResult } };
  readonly error?: { readonly json?: { readonly data?: { readonly annals?: ErrorInfo } } };
}

/** A refusal of the whole request is one envelope, which is then that of each call. */
function readAnswers(text: string, count: number): readonly (Envelope | undefined)[] {
  const json = parse(text) as Envelope | readonly Envelope[] | undefined | null;
  return Array.isArray(json)
    ? json
    : Array.from({ length: count }, () => (json as Envelope | null) ?? undefined);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Asked {
  readonly input: LogInput;
  readonly response: Response;
  readonly retryAfterMs: number;
}

function readAnswer(
  envelope: Envelope | undefined,
  { input, response, retryAfterMs }: Asked,
): LogResult | AttemptFailed {
  const result = envelope?.result?.data?.json;
  if (result === undefined) {
    return new AttemptFailed(toError(envelope?.error?.json?.data?.annals, response.status), retryAfterMs);
  }
  const { results, batches } = result;
  if (Array.isArray(batches) && Array.isArray(results) && results.length === input.activities.length) {
    return { ...result, results: results.map(readItem) };
  }
  const message = 'the server did not answer for each activity';
  return new AttemptFailed(new AnnalsError({ code: 'internal', message }), 0);
}

/** Where the schema has dates; what superjson notes of them says no more. */
function readItem(item: LogResult['results'][number]): LogResult['results'][number] {
  switch (item.status) {
    case 'stored':
      return { ...item, occurredAt: new Date(item.occurredAt), recordedAt: new Date(item.recordedAt) };
    case 'duplicate':
      return { ...item, occurredAt: new Date(item.occurredAt) };
    default:
      return item;
  }
}
