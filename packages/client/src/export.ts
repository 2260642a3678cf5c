import type { Activity, Page } from '@annals/contract';
import { type ActivityList, type ListOptions, type Selection, selectionOf } from './list.ts';
import { toJson } from './to-json.ts';
import type { Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

/** Whole lines on their way. */
export interface ExportedLines {
  /** NDJSON: an activity as JSON on each line. */
  readonly text: string;
  readonly count: number;
  /** To go on behind them. */
  readonly cursor: string;
}

export interface ActivityExport extends ActivityList {
  /** As the server writes them, for who passes them on: some hundreds at a time. */
  lines(): AsyncIterable<ExportedLines>;
}

/** Activities of a page, unless told otherwise. */
const pageSizeDefault = 1_000;

/**
 * Activities for taking out, in one answer that is read as fast as they are used. An answer that breaks off is gone on
 * with behind the last line that came whole. Each iteration is an export of its own.
 */
export function exportActivities(
  transport: Transport,
  selection: Selection,
  options: ListOptions = {},
): ActivityExport {
  const { order, pageSize = pageSizeDefault, cursor, ...call } = options;
  // Copied now: a filter that the caller changes later must not change when an answer is gone on with.
  const input = JSON.parse(
    toJson({ ...withTenant(transport, selectionOf(selection), call), ...(order && { order }) }),
  ) as object;
  async function* lines(): AsyncGenerator<ExportedLines> {
    // Most programs export nothing, and should not load what does.
    const { readLines } = await import('./read-lines.ts');
    yield* readLines(transport, { input, cursor, signal: call.signal });
  }
  const pages = () => toPages(lines(), pageSize);
  return {
    lines,
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* page.activities;
    },
  };
}

/** Pages of at most so many; each but the last with the cursor behind it. */
async function* toPages(portions: AsyncIterable<ExportedLines>, pageSize: number): AsyncGenerator<Page> {
  let page: Activity[] = [];
  for await (const { text, cursor } of portions) {
    const pass = cursor.slice(cursor.indexOf('.'));
    for (const activity of activitiesIn(text)) {
      // Not before there is another: of the last page nothing is to go on behind.
      if (page.length === pageSize) {
        yield { activities: page, next: `${page.at(-1)?.id}${pass}` };
        page = [];
      }
      page.push(activity);
    }
  }
  yield { activities: page };
}

function* activitiesIn(text: string): Generator<Activity> {
  for (let from = 0, end = text.indexOf('\n'); end >= 0; from = end + 1, end = text.indexOf('\n', from)) {
    const read = JSON.parse(text.slice(from, end)) as Activity;
    yield { ...read, occurredAt: new Date(read.occurredAt), recordedAt: new Date(read.recordedAt) };
  }
}
