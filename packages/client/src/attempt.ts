import type { ErrorInfo, ProcedureName } from '@annals/contract';
import { createTRPCUntypedClient, httpLink, TRPCClientError, type TRPCUntypedClient } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { deserialize, serialize } from 'superjson';
import { abortable } from './abortable.ts';
import { failureOf, toError } from './answer.ts';
import { mutations } from './call-kinds.ts';
import type { Settings } from './options.ts';
import { AttemptFailed, retryAfterMsOf } from './retrying.ts';

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

export interface Attempt {
  readonly name: ProcedureName;
  readonly json: object;
  readonly signal: AbortSignal | undefined;
}

/**
 * Make one call over tRPC.
 *
 * Errors  AttemptFailed; the signal's reason.
 */
export async function attempt(settings: Settings, { name, json, signal }: Attempt): Promise<unknown> {
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
