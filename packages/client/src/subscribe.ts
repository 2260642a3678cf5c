import type { ErrorInfo, ProcedureName, ProcedureOutput } from '@annals/contract';
import type { EventSourceMessage } from 'eventsource-parser';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { deserialize, type SuperJSONResult } from 'superjson';
import { abortable } from './abortable.ts';
import { failureOf, toError } from './answer.ts';
import type { Settings } from './options.ts';
import { AttemptFailed, createBackoff } from './retrying.ts';
import { toJson } from './to-json.ts';
import type { Transport } from './transport.ts';

/** The server says something every 15 s; a stream that is silent for longer is dead. */
const silenceMaxMs = 45_000;

export interface Subscription<Name extends ProcedureName> {
  readonly name: Name;
  /** Asked before each connection, so that it can say where to go on. */
  readonly input: () => object;
  readonly signal: AbortSignal | undefined;
}

/**
 * What a subscription tells, until it has ended. A stream that breaks is opened again.
 *
 * Errors  what the server refuses; `unavailable` after as many failures in a row as a call is tried.
 */
export async function* subscribe<Name extends ProcedureName>(
  { settings }: Transport,
  { name, input, signal }: Subscription<Name>,
): AsyncGenerator<ProcedureOutput<Name>, void> {
  const backoff = createBackoff(settings.retry);
  for (;;) {
    try {
      for await (const data of readStream(settings, { name, input, signal })) {
        backoff.reset();
        yield data;
      }
      return;
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error;
      await backoff.pause(error, signal);
    }
  }
}

/**
 * One connection's data. tRPC's own link for subscriptions would need an EventSource, sends inputs in the URL, and
 * reconnects without a bound; so the stream is read here. Ends when the server says that there is no more, and fails
 * when it just stops.
 */
async function* readStream<Name extends ProcedureName>(
  settings: Settings,
  { name, input, signal }: Subscription<Name>,
): AsyncGenerator<ProcedureOutput<Name>, void> {
  // Ends the connection when the caller stops iterating, or when it fails.
  const connection = new AbortController();
  const either = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
  let events: ReadableStreamDefaultReader<EventSourceMessage> | undefined;
  try {
    either.throwIfAborted();
    const opening = open(settings, { name, inputJson: toJson(input()), signal: either });
    const response = await abortable(opening, withinSilence(either));
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !type.startsWith('text/event-stream') || !response.body) {
      const body = (await response.json().catch(() => undefined)) as { error?: ErrorEnvelope } | undefined;
      throw toError(body?.error?.json?.data?.annals, response.status);
    }
    events = response.body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .pipeThrough(new EventSourceParserStream())
      .getReader();
    for (;;) {
      const { value: event, done } = await abortable(events.read(), withinSilence(either));
      if (done) throw new Error('the stream ended early');
      if (event.event === 'return') return;
      const data = JSON.parse(event.data || '{}') as ErrorEnvelope;
      if (event.event === 'serialized-error') throw toError(data.json?.data?.annals, 500);
      if (event.event === undefined) yield deserialize(data as unknown as SuperJSONResult);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw new AttemptFailed(failureOf(error, { timedOut: false, settings }), 0);
  } finally {
    connection.abort();
    // In process nobody may be left to see the signal: a Request forgets it when it is itself forgotten.
    void events?.cancel().catch(() => undefined);
  }
}

/** What tells of an error, in a body or in an event. */
interface ErrorEnvelope {
  readonly json?: { readonly data?: { readonly annals?: ErrorInfo } };
}

interface Opening {
  readonly name: ProcedureName;
  readonly inputJson: string;
  readonly signal: AbortSignal;
}

// `async`, so that a fetch that throws at once is a failure like any other.
async function open({ url, headers, fetch }: Settings, { name, inputJson, signal }: Opening) {
  const init = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: `{"json":${inputJson}}`,
    signal,
  };
  return fetch(`${url}/${name}`, init);
}

function withinSilence(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(silenceMaxMs)]);
}
