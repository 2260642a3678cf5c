import { AnnalsError, type ProcedureInput, type ProcedureName, type ProcedureOutput } from '@annals/contract';
import { abortable } from './abortable.ts';
import { readAnswer } from './answer.ts';
import type { CallOptions, Settings } from './options.ts';
import { AttemptFailed, createBackoff, retryAfterMsOf } from './retrying.ts';
import { toJson } from './to-json.ts';

/** Calls that may be made twice: queries, and what comes to the same when it is done again. */
const repeatable = new Set<ProcedureName>([
  'activity.log',
  'activity.get',
  'activity.list',
  'activity.export',
  'activity.count',
  'activity.stats',
  'activity.facets',
  'activity.summary',
  'retention.policies',
  'retention.setPolicies',
  'job.get',
  'job.list',
  'job.resume',
  'key.list',
  'key.revoke',
  'key.current',
  'tenant.list',
]);

export interface Transport {
  readonly settings: Settings;
  /** One call with its input; made again where that is safe and the server or the way to it fails. */
  call<Name extends ProcedureName>(
    name: Name,
    input: ProcedureInput<Name>,
    options?: CallOptions,
  ): Promise<ProcedureOutput<Name>>;
  /** As `call`, with the JSON of the input. */
  send<Name extends ProcedureName>(
    name: Name,
    inputJson: string,
    options?: CallOptions,
  ): Promise<ProcedureOutput<Name>>;
}

export function createTransport(settings: Settings): Transport {
  const send: Transport['send'] = async (name, inputJson, { signal } = {}) => {
    signal?.throwIfAborted();
    const backoff = createBackoff(
      repeatable.has(name) ? settings.retry : { ...settings.retry, attemptsMax: 1 },
    );
    for (;;) {
      try {
        return (await post(settings, { name, inputJson, signal })) as never;
      } catch (error) {
        if (!(error instanceof AttemptFailed)) throw error;
        await backoff.pause(error, signal);
      }
    }
  };
  return { settings, send, call: (name, input, options) => send(name, toJson(input), options) };
}

interface Post {
  readonly name: ProcedureName;
  readonly inputJson: string;
  readonly signal: AbortSignal | undefined;
}

async function post(settings: Settings, { name, inputJson, signal }: Post): Promise<unknown> {
  const timeout = AbortSignal.timeout(settings.timeoutMs);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  let retryAfterMs = 0;
  try {
    const response = await abortable(openCall(settings, { name, inputJson, signal: either }), either);
    retryAfterMs = retryAfterMsOf(response.headers, Date.now());
    return await abortable(readAnswer(response), either);
  } catch (error) {
    signal?.throwIfAborted();
    throw new AttemptFailed(failureOf(error, { timedOut: timeout.aborted, settings }), retryAfterMs);
  }
}

/** POST an input to a procedure, whatever its type: a filter in a URL would end in the logs of proxies. */
export function openCall(settings: Settings, { name, inputJson, signal }: Post): Promise<Response> {
  const init = { method: 'POST', headers: settings.headers, body: `{"json":${inputJson}}` };
  // `async`, so that a fetch that throws at once is a failure like any other.
  const open = async () => settings.fetch(settings.procedureUrl + name, { ...init, signal: signal ?? null });
  return open();
}

/** Everything that is not an answer of Annals failed on the way. */
export function failureOf(
  error: unknown,
  { timedOut, settings }: { readonly timedOut: boolean; readonly settings: Settings },
): AnnalsError {
  if (error instanceof AnnalsError) return error;
  const message = timedOut
    ? `the server did not answer within ${settings.timeoutMs} ms`
    : 'the server cannot be reached';
  return new AnnalsError({ code: 'unavailable', message }, { cause: error });
}
