import { AnnalsError, type ExportInput, type Filter, limits } from '@annals/contract';
import type { Context, Verb } from '../context.ts';
import { parseCursor } from './cursor.ts';
import { recordExport } from './export.ts';
import { type ExportPass, formatPass, requireRecorded, splitPass } from './export-pass.ts';
import { gatherLines, lineColumns } from './gather-lines.ts';
import { pageTransaction } from './page.ts';
import { read, sightOf } from './read.ts';
import { ensureRecordPartition } from './record-activity.ts';
import { recordLine } from './record-line.ts';
import { resolveFilter } from './resolve-filter.ts';
import { type Place, walkInto } from './walk.ts';

/** Some records on their way out. */
export interface ExportChunk {
  /** NDJSON, a line for each, in pieces of whole lines. None where a search took long and found nothing. */
  readonly pieces: readonly Uint8Array[];
  readonly count: number;
}

export interface ExportStream {
  /** With the id of the last record before it, `<id>.<pass>`, the cursor to go on with; `start.<pass>` before the first. */
  readonly pass: string;
  readonly chunks: AsyncIterable<ExportChunk>;
}

/**
 * All records that a filter selects as NDJSON, in the order of their key, chunk by chunk as they are asked for.
 *
 * It is recorded once as `annals.exported`, before the first; going on by a cursor asks for that record. Each chunk is a
 * transaction of its own that has ended when the chunk is there, so that whoever reads slowly holds nothing of the
 * database: and a record that is stored or erased meanwhile is as in a list that is paged through.
 * Limits  a chunk holds `exportChunkBytes`, and at most as much more as is asked for at once; one is read ahead.
 * Errors  as `exportActivities`, before the first chunk but for those of the database.
 */
export async function streamActivities({ ctx, input }: Verb<ExportInput>): Promise<ExportStream> {
  const filter = resolveFilter(ctx, input);
  const { place, pass } =
    input.cursor === undefined ? await begin(ctx, { input, filter }) : await goOn(ctx, input);
  return {
    pass: formatPass(pass),
    chunks: readAhead((from) => readChunk(ctx, { ...from, filter, order: input.order }), {
      place,
      limit: firstLimit,
    }),
  };
}

interface Begun {
  readonly place: Place | undefined;
  readonly pass: ExportPass;
}

async function begin(
  ctx: Context,
  { input, filter }: { readonly input: ExportInput; readonly filter: Filter },
): Promise<Begun> {
  await ensureRecordPartition(ctx);
  const pass = await read(ctx, (tx) => recordExport(tx, ctx, { input, filter }));
  return { place: undefined, pass };
}

async function goOn(ctx: Context, input: ExportInput): Promise<Begun> {
  const { cursor, pass } = splitPass(input.cursor ?? '', input.order);
  const place = cursor === undefined ? undefined : parseCursor(input.order, cursor);
  if (place?.side === 'before') {
    const message = 'must lead on: it is the previous of a page';
    throw new AnnalsError({ code: 'invalid_input', message, path: 'cursor' });
  }
  await read(ctx, (tx) => requireRecorded(tx, ctx, { asked: input, pass }));
  return { place, pass };
}

/** From where the next chunk is read, and how many records are asked for at once. */
interface From {
  readonly place: Place | undefined;
  readonly limit: number;
}

interface Read extends ExportChunk {
  /** Absent behind the last record. */
  readonly next?: From;
}

/** Before it is known how large they are. */
const firstLimit = 500;
const limitMin = 64;
const limitMax = 8_000;

async function readChunk(
  ctx: Context,
  { place, limit, filter, order }: From & { readonly filter: Filter; readonly order: ExportInput['order'] },
): Promise<Read> {
  const sight = sightOf(ctx);
  const bytesMax = limits.exportChunkBytes;
  const found = gatherLines({ limit, bytesMax });
  const walk = {
    filter,
    sight,
    place,
    limit,
    now: ctx.clock.now(),
    prepared: false,
    descending: order === 'newest',
    columns: lineColumns(recordLine(sight)),
    deadlineMs: performance.now() + limits.pageSearchMsMax,
  };
  const stoppedAt = await read(ctx, (tx) => walkInto(tx, walk, found), pageTransaction);
  const onward = found.missing() === 0 ? found.last() : stoppedAt;
  const pieces = found.pieces();
  const count = found.count();
  if (onward === undefined) return { pieces, count };
  // So many that they fill a chunk: what the database writes beyond one is thrown away.
  const fill = count === 0 ? limit : Math.floor((bytesMax * count * 0.9) / found.bytes());
  const next = {
    place: { id: onward, inclusive: false },
    limit: Math.max(limitMin, Math.min(fill, limitMax)),
  };
  return { pieces, count, next };
}

/** The next chunk is on its way while one is in use; never more than one. */
async function* readAhead(readFrom: (from: From) => Promise<Read>, start: From): AsyncGenerator<ExportChunk> {
  const ask = (from: From): Promise<Read> => {
    const chunk = readFrom(from);
    // Its failure is met once the chunk before it has been used.
    chunk.catch(() => undefined);
    return chunk;
  };
  let coming: Promise<Read> | undefined;
  try {
    coming = ask(start);
    while (coming) {
      const { next, ...chunk }: Read = await coming;
      coming = next && ask(next);
      yield chunk;
    }
  } finally {
    await coming?.catch(() => undefined);
  }
}
