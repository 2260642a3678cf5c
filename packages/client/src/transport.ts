import {
  AnnalsError,
  type ErrorInfo,
  type ProcedureInput,
  type ProcedureName,
  type ProcedureOutput,
} from '@annals/contract';
import { createTRPCUntypedClient, httpLink, TRPCClientError, type TRPCUntypedClient } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { deserialize, serialize } from 'superjson';
import { abortable } from './abortable.ts';
import { toError } from './answer.ts';
import { mutations, repeatable } from './call-kinds.ts';
import type { CallOptions, Settings } from './options.ts';
import { AttemptFailed, createBackoff, retryAfterMsOf } from './retrying.ts';
import { toJson } from './to-json.ts';

export interface Transport {
  readonly settings: Settings;
  /** One call with its input; made again where that is safe and the server or the way to it fails. */
  call<Name extends ProcedureName>(
    name: Name,
    input: ProcedureInput<Name>,
    options?: CallOptions,
  ): Promise<ProcedureOutput<Name>>;
  /** As `call`, with an input that is JSON already, and nobody else's to change. */
  send<Name extends ProcedureName>(
    name: Name,
    json: object,
    options?: CallOptions,
  ): Promise<ProcedureOutput<Name>>;
}

export function createTransport(settings: Settings): Transport {
  const send: Transport['send'] = async (name, json, { signal } = {}) => {
    signal?.throwIfAborted();
    const backoff = createBackoff(
      repeatable.has(name) ? settings.retry : { ...settings.retry, attemptsMax: 1 },
    );
    for (;;) {
      try {
        return (await attempt(settings, { name, json, signal })) as never;
      } catch (error) {
        if (!(error instanceof AttemptFailed)) throw error;
        await backoff.pause(error, signal);
      }
    }
  };
  const call: Transport['call'] = (name, input, options) =>
    send(name, JSON.parse(toJson(input)) as object, options);
  return { settings, send, call: async (...args) => call(...args) };
}

type Fetch = Settings['fetch'];

/** Queries are POSTed too: a filter in a URL would end in the logs of proxies. */
function openClient({ url, headers }: Settings, fetch: Fetch): TRPCUntypedClient<AnyTRPCRouter> {
  return createTRPCUntypedClient({
    links: [
      httpLink({
        url,
        headers,
        methodOverride: 'POST',
        fetch: async (input, init) => fetch(String(input), init as RequestInit),
        transformer: {
          // Dates have become their text by now, so that there is nothing for superjson to mark.
          input: { serialize: (json: unknown) => ({ json }), deserialize },
          output: { serialize, deserialize },
        },
      }),
    ],
  });
}

interface Attempt {
  readonly name: ProcedureName;
  readonly json: object;
  readonly signal: AbortSignal | undefined;
}

async function attempt(settings: Settings, { name, json, signal }: Attempt): Promise<unknown> {
  const timeout = AbortSignal.timeout(settings.timeoutMs);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const kind = mutations.has(name) ? 'mutation' : 'query';
  let response: Response | undefined;
  // tRPC's error keeps the answer only where it could read it; a proxy's page has a status that tells too.
  const client = openClient(settings, async (url, init) => (response = await settings.fetch(url, init)));
  try {
    return await abortable(client[kind](name, json, { signal: either }), either);
  } catch (error) {
    signal?.throwIfAborted();
    const cause = error instanceof TRPCClientError ? (error.cause ?? error) : error;
    if (!response || !isAnswer(error, response)) {
      throw new AttemptFailed(failureOf(cause, { timedOut: timeout.aborted, settings }), 0);
    }
    const retryAfterMs = retryAfterMsOf(response.headers, Date.now());
    throw new AttemptFailed(toError(infoOf(error), response.status), retryAfterMs);
  }
}

/** Whether the answer came whole, be it Annals' or not; else it broke off on the way. */
function isAnswer(error: unknown, response: Response): boolean {
  return !response.ok || (error instanceof TRPCClientError && error.cause instanceof SyntaxError);
}

function infoOf(error: unknown): ErrorInfo | undefined {
  return (error as { data?: { annals?: ErrorInfo } | null }).data?.annals;
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
