import type { ErrorInfo, Job } from '@annals/contract';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { deserialize, type SuperJSONResult } from 'superjson';
import { abortable } from './abortable.ts';
import { toError } from './answer.ts';
import type { CallOptions, Settings } from './options.ts';
import { AttemptFailed, createBackoff } from './retrying.ts';
import { toJson } from './to-json.ts';
import { failureOf, type Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

/** The server says something every 15 s; a stream that is silent for longer is dead. */
const silenceMaxMs = 45_000;

/**
 * A job whenever it has moved, until it ends. A stream that breaks is opened again, and goes on with the
 * job as it is then; what has not changed since is not told twice.
 *
 * Errors  `not_found`; `unavailable` after as many failures in a row as a call is tried.
 */
export async function* watchJob(
  transport: Transport,
  id: string,
  options: CallOptions = {},
): AsyncGenerator<Job, void> {
  const { signal } = options;
  const inputJson = toJson(withTenant(transport, { id }, options));
  const backoff = createBackoff(transport.settings.retry);
  for (let told = ''; ; ) {
    try {
      for await (const job of readStream(transport, inputJson, signal)) {
        backoff.reset();
        const state = JSON.stringify(job);
        if (state !== told) yield job;
        told = state;
      }
      return;
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error;
      await backoff.pause(error, signal);
    }
  }
}

/**
 * One connection's jobs. tRPC's own link for subscriptions would need an EventSource, sends inputs in the URL,
 * and reconnects without a bound; so the stream is read here. Ends when the server says that there is no more, and fails when it just stops. */
async function* readStream(
  { settings }: Transport,
  inputJson: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Job, void> {
  // Ends the connection when the caller stops iterating, or when it fails.
  const connection = new AbortController();
  const either = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
  try {
    either.throwIfAborted();
    const response = await abortable(open(settings, inputJson, either), withinSilence(either));
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !type.startsWith('text/event-stream') || !response.body) {
      const body = (await response.json().catch(() => undefined)) as { error?: ErrorEnvelope } | undefined;
      throw toError(body?.error?.json?.data?.annals, response.status);
    }
    const events = response.body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .pipeThrough(new EventSourceParserStream())
      .getReader();
    for (;;) {
      const { value: event, done } = await abortable(events.read(), withinSilence(either));
      if (done) throw new Error('the stream ended early');
      if (event.event === 'return') return;
      const data = JSON.parse(event.data || '{}') as ErrorEnvelope;
      if (event.event === 'serialized-error') throw toError(data.json?.data?.annals, 500);
      if (event.event === undefined) yield deserialize<Job>(data as unknown as SuperJSONResult);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw new AttemptFailed(failureOf(error, { timedOut: false, settings }), 0);
  } finally {
    connection.abort();
  }
}

/** What tells of an error, in a body or in an event. */
interface ErrorEnvelope {
  readonly json?: { readonly data?: { readonly annals?: ErrorInfo } };
}

// `async`, so that a fetch that throws at once is a failure like any other.
async function open({ url, headers, fetch }: Settings, inputJson: string, signal: AbortSignal) {
  const init = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: `{"json":${inputJson}}`,
    signal,
  };
  return fetch(`${url}/job.watch`, init);
}

function withinSilence(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(silenceMaxMs)]);
}
