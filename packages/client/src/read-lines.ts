import type { ExportedLines } from './export.ts';
import { createBackoff } from './retrying.ts';
import { openRoute, readBytes, toAttemptFailed } from './route.ts';
import type { Transport } from './transport.ts';

export interface Reading {
  readonly input: object;
  readonly cursor: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The lines of an export, across as many answers as it takes. */
export async function* readLines(transport: Transport, reading: Reading): AsyncGenerator<ExportedLines> {
  const { signal } = reading;
  const backoff = createBackoff(transport.settings.retry);
  let { cursor } = reading;
  for (;;) {
    try {
      for await (const lines of readAnswer(transport, { ...reading, cursor })) {
        cursor = lines.cursor;
        // The beginning is not yet any of them.
        if (lines.count === 0) continue;
        backoff.reset();
        yield lines;
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      await backoff.pause(toAttemptFailed(error, transport.settings), signal);
    }
  }
}

const newline = 0x0a;

/** One answer. It begins with no lines, but with the cursor that asks for the same export once more. */
async function* readAnswer(
  transport: Transport,
  { input, cursor, signal }: Reading,
): AsyncGenerator<ExportedLines> {
  const { settings } = transport;
  const body = JSON.stringify({ ...input, ...(cursor !== undefined && { cursor }) });
  const headers = { 'content-type': 'application/json' };
  const route = { path: '/api/v1/export', init: { method: 'POST', body, headers }, signal };
  const { response, connection } = await openRoute(settings, route);
  const pass = response.headers.get('x-annals-export') ?? '';
  if (cursor === undefined) yield { text: '', count: 0, cursor: `start.${pass}` };
  const decoder = new TextDecoder();
  // The beginning of a line of which the rest is to come.
  let begun: Uint8Array[] = [];
  for await (const bytes of readBytes(response, { connection, signal })) {
    const end = bytes.lastIndexOf(newline) + 1;
    if (end > 0) {
      const text =
        begun.map((part) => decoder.decode(part, { stream: true })).join('') +
        decoder.decode(bytes.subarray(0, end));
      begun = [];
      yield* toLines(text, pass);
    }
    if (end < bytes.length) begun.push(bytes.subarray(end));
  }
}

/** Empty lines say that the server is still looking. */
function* toLines(text: string, pass: string): Generator<ExportedLines> {
  const whole =
    text.includes('\n\n') || text.startsWith('\n') ? text.replaceAll(/\n+/g, '\n').replace(/^\n/, '') : text;
  if (whole === '') return;
  const { id } = JSON.parse(whole.slice(whole.lastIndexOf('\n', whole.length - 2) + 1)) as { id: string };
  yield { text: whole, count: countOf(whole), cursor: `${id}.${pass}` };
}

function countOf(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
