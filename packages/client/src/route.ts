import type { ErrorInfo } from '@annals/contract';
import { abortable } from './abortable.ts';
import { failureOf, toError } from './answer.ts';
import type { Settings } from './options.ts';
import { AttemptFailed, createBackoff, retryAfterMsOf } from './retrying.ts';

/** A server that sends nothing for longer is gone. */
const silenceMaxMs = 60_000;

/** What is asked for outside of the router: an answer in NDJSON. */
export interface Route {
  readonly path: string;
  readonly init?: {
    readonly method: string;
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
}

export interface OpenedRoute {
  readonly response: Response;
  /** To be aborted once nobody reads the answer any more. */
  readonly connection: AbortController;
}

/** One attempt. Errors: AttemptFailed with what the server refused it for; whatever `fetch` throws. */
export async function openRoute(
  { url: routerUrl, headers, timeoutMs, fetch }: Settings,
  { path, init, signal }: Route,
): Promise<OpenedRoute> {
  const connection = new AbortController();
  const either = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
  const url = `${routerUrl.replace(/\/trpc$/, '')}${path}`;
  const request = { ...init, headers: { ...headers, ...init?.headers }, signal: either };
  try {
    const response = await abortable(fetch(url, request), within(timeoutMs, either));
    const type = response.headers.get('content-type') ?? '';
    if (response.ok && type.startsWith('application/x-ndjson') && response.body)
      return { response, connection };
    const body = (await response.json().catch(() => undefined)) as ErrorInfo | undefined;
    throw new AttemptFailed(toError(body, response.status), retryAfterMsOf(response.headers, Date.now()));
  } catch (error) {
    connection.abort();
    throw error;
  }
}

/** As `openRoute`, in as many attempts as calls are made. Errors: the failure that was not passing, or the last. */
export async function openAgain(settings: Settings, route: Route): Promise<OpenedRoute> {
  const backoff = createBackoff(settings.retry);
  for (;;) {
    try {
      return await openRoute(settings, route);
    } catch (error) {
      route.signal?.throwIfAborted();
      await backoff.pause(toAttemptFailed(error, settings), route.signal);
    }
  }
}

/** The bytes of an answer; leaving the loop ends the connection. */
export async function* readBytes(
  { body }: Response,
  { connection, signal }: { readonly connection: AbortController; readonly signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void> {
  const reader = body?.getReader();
  if (!reader) return;
  const either = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
  try {
    for (;;) {
      const { value, done } = await abortable(reader.read(), within(silenceMaxMs, either));
      if (done) return;
      yield value;
    }
  } finally {
    connection.abort();
    // Not every fetch ends what it has answered by the signal.
    reader.cancel().catch(() => undefined);
  }
}

/** What a failed attempt is to a backoff: what did not come as an answer failed on the way. */
export function toAttemptFailed(error: unknown, settings: Settings): AttemptFailed {
  if (error instanceof AttemptFailed) return error;
  const timedOut = (error as { name?: unknown } | null)?.name === 'TimeoutError';
  return new AttemptFailed(failureOf(error, { timedOut, settings }), 0);
}

function within(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}
