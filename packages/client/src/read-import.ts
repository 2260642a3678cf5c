import {
  type ActivityInput,
  AnnalsError,
  createLineSplitter,
  type ErrorInfo,
  type ImportedLine,
  type ImportTotals,
} from '@annals/contract';
import { abortable } from './abortable.ts';
import { failureOf, toError } from './answer.ts';
import type { ImportOptions, ImportSource } from './import.ts';
import { prepareActivity } from './prepare-activity.ts';
import type { Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

export interface ReadImport extends ImportOptions {
  readonly source: ImportSource;
}

/** A server that neither takes nor tells anything for longer, while it could, is gone. */
const silenceMaxMs = 60_000;

/**
 * Send the lines of a source, and tell what became of them, as fast as both go: at the pace of the slower.
 *
 * Errors  those of `activity.log`; `unavailable` where the connection breaks off, behind what has been told by then.
 */
export async function* readImport(
  transport: Transport,
  { source, signal, results = 'all', gzip = false, ...options }: ReadImport,
): AsyncGenerator<ImportedLine, ImportTotals> {
  const { settings } = transport;
  signal?.throwIfAborted();
  const connection = new AbortController();
  const either = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal;
  const lines = linesOf(source);
  const watch = watchSilence((error) => connection.abort(error));
  try {
    const { tenantId } = withTenant(transport, {}, options);
    const query = new URLSearchParams({ results, ...(tenantId !== undefined && { tenantId }) });
    const init = {
      method: 'POST',
      headers: {
        ...settings.headers,
        'content-type': 'application/x-ndjson',
        ...(gzip && { 'content-encoding': 'gzip' }),
      },
      body: streamOf(lines.bytes, watch),
      // The answer is read while the body is sent.
      duplex: 'half',
      signal: either,
    };
    const url = `${settings.url.replace(/\/trpc$/, '')}/api/v1/activities:import?${query.toString()}`;
    const response = await abortable(settings.fetch(url, init as RequestInit), either);
    return yield* merge(readAnswer(response, either, watch), lines.refused);
  } catch (error) {
    signal?.throwIfAborted();
    if (lines.failure) throw lines.failure.error;
    throw failureOf(error, { timedOut: false, settings });
  } finally {
    watch.end();
    connection.abort();
  }
}

type Refusal = Extract<ImportedLine, { status: 'refused' }>;

interface Lines {
  readonly bytes: AsyncIterator<Uint8Array>;
  /** What cannot even be sent, in order. A blank line goes in its place. */
  readonly refused: Refusal[];
  /** Why the source could not be read to its end. */
  failure?: { readonly error: unknown };
}

/** Bytes sent at once, about; whatever the server does with them, it does for some hundreds of lines. */
const partBytes = 64 * 1024;

function linesOf(source: ImportSource): Lines {
  const utf8 = new TextEncoder();
  const refused: Refusal[] = [];
  async function* read(): AsyncGenerator<Uint8Array> {
    let text = '';
    let line = 0;
    for await (const item of source) {
      if (item instanceof Uint8Array) {
        yield item;
        continue;
      }
      line += 1;
      text += toLine(item, line, refused);
      if (text.length < partBytes) continue;
      yield utf8.encode(text);
      text = '';
    }
    if (text !== '') yield utf8.encode(text);
  }
  async function* reading(): AsyncGenerator<Uint8Array> {
    try {
      yield* read();
    } catch (error) {
      lines.failure = { error };
      throw error;
    }
  }
  const lines: Lines = { bytes: reading(), refused };
  return lines;
}

function toLine(activity: ActivityInput, line: number, refused: Refusal[]): string {
  const prepared = prepareActivity(activity, 'activities');
  if (!('status' in prepared)) return `${prepared.json}\n`;
  const { path: whole = '', ...told } = prepared;
  const path = whole.replace(/^activities\.?/, '');
  refused.push({ line, ...told, ...(path !== '' && { path }) });
  return '\n';
}

interface Silence {
  /** Something came or went; or, until the next time, it is the source that is waited for. */
  heard(): void;
  waitingForSource(waiting: boolean): void;
  end(): void;
}

function watchSilence(onSilence: (error: AnnalsError) => void): Silence {
  let heardMs = performance.now();
  let paused = false;
  const timer = setInterval(() => {
    if (paused || performance.now() - heardMs <= silenceMaxMs) return;
    const message = `the server has been silent for ${silenceMaxMs} ms`;
    onSilence(new AnnalsError({ code: 'unavailable', message }));
  }, silenceMaxMs / 6);
  const heard = () => {
    heardMs = performance.now();
  };
  return {
    heard,
    waitingForSource: (waiting) => {
      paused = waiting;
      heard();
    },
    end: () => clearInterval(timer),
  };
}

function streamOf(bytes: AsyncIterator<Uint8Array>, watch: Silence): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      pull: async (controller) => {
        watch.waitingForSource(true);
        const { value, done } = await bytes.next();
        watch.waitingForSource(false);
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await bytes.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The longest line of an answer: an error's message and a path are bounded by what the contract allows. */
const answerLineBytesMax = 1024 * 1024;

interface LastLine {
  readonly totals: ImportTotals;
  readonly error?: ErrorInfo;
}

type AnswerLine = ImportedLine | LastLine;

async function* readAnswer(
  response: Response,
  signal: AbortSignal,
  watch: Silence,
): AsyncGenerator<ImportedLine, ImportTotals> {
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || !type.startsWith('application/x-ndjson') || !response.body) {
    const info = (await response.json().catch(() => undefined)) as ErrorInfo | undefined;
    throw toError(info, response.status);
  }
  const reader = response.body.getReader();
  const splitter = createLineSplitter({ lineBytesMax: answerLineBytesMax });
  try {
    for (;;) {
      const { value, done } = await abortable(reader.read(), signal);
      watch.heard();
      for (const line of done ? splitter.end() : splitter.push(value)) {
        const told = JSON.parse('text' in line ? line.text : '') as AnswerLine;
        if (!('totals' in told)) yield revive(told);
        else if (told.error) throw toError(told.error, 500);
        else return told.totals;
      }
      if (done) throw new AnnalsError({ code: 'unavailable', message: 'the import broke off' });
    }
  } finally {
    // Not every fetch ends what it has answered by the signal.
    reader.cancel().catch(() => undefined);
  }
}

function revive(line: ImportedLine): ImportedLine {
  if (line.status === 'refused') return line;
  const occurredAt = new Date(line.occurredAt);
  return line.status === 'duplicate'
    ? { ...line, occurredAt }
    : { ...line, occurredAt, recordedAt: new Date(line.recordedAt) };
}

/** With what could not be sent in its place. */
async function* merge(
  answer: AsyncGenerator<ImportedLine, ImportTotals>,
  refused: Refusal[],
): AsyncGenerator<ImportedLine, ImportTotals> {
  let unsent = 0;
  const before = function* (line: number) {
    for (let first = refused[0]; first && first.line < line; first = refused[0]) {
      refused.shift();
      unsent += 1;
      yield first;
    }
  };
  try {
    for (;;) {
      const { value, done } = await answer.next();
      yield* before(done ? Number.POSITIVE_INFINITY : value.line);
      if (done) return { ...value, lines: value.lines + unsent, refused: value.refused + unsent };
      yield value;
    }
  } finally {
    // Where the caller has left; else it has ended.
    await answer.return({ lines: 0, stored: 0, duplicates: 0, refused: 0 });
  }
}
