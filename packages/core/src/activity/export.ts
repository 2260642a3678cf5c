import {
  type ExportInput,
  type Filter,
  formatQuery,
  type JsonObject,
  type ListInput,
  type Page,
  personalFieldsOf,
} from '@annals/contract';
import type { Context, Verb } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { addPass, digestOf, type ExportPass, mintSalt, requireRecorded, splitPass } from './export-pass.ts';
import { pageTransaction, readPage } from './page.ts';
import { read, sightOf } from './read.ts';
import { ensureRecordPartition, recordActivity } from './record-activity.ts';
import { resolveFilter } from './resolve-filter.ts';

/** Longer query texts would crowd the record out. */
const recordedQueryLengthMax = 4_096;

/**
 * As `listActivities`, for taking records out: the first page is recorded as `annals.exported` in the same
 * transaction, and further pages are had by its cursors only, so that no export goes unseen.
 *
 * Errors  as `listActivities`; `invalid_input` at `cursor` for another export's, another key's or a list's.
 */
export async function exportActivities({ ctx, input }: Verb<ListInput>): Promise<Page> {
  const filter = resolveFilter(ctx, input);
  const { order, limit } = input;
  const page = (tx: Tx, cursor?: string) =>
    readPage(tx, { order, limit, cursor, filter, sight: sightOf(ctx), now: ctx.clock.now() });
  if (input.cursor !== undefined) {
    const { cursor, pass } = splitPass(input.cursor, order);
    const go = async (tx: Tx) => {
      await requireRecorded(tx, ctx, { asked: input, pass });
      return withPass(await page(tx, cursor), pass);
    };
    return read(ctx, go, pageTransaction);
  }
  await ensureRecordPartition(ctx);
  const begin = async (tx: Tx) => {
    const first = await page(tx);
    return withPass(first, await recordExport(tx, ctx, { input, filter }));
  };
  return read(ctx, begin, pageTransaction);
}

/** Record that an export begins, within the transaction. Returns what its cursors carry. */
export async function recordExport(
  tx: Tx,
  ctx: Context,
  { input, filter }: { readonly input: ExportInput; readonly filter: Filter },
): Promise<ExportPass> {
  const salt = mintSalt();
  const recordId = await recordActivity(tx, ctx, {
    action: 'annals.exported',
    kind: 'data_access',
    operation: 'read',
    target: { type: 'export', id: ctx.tenantId },
    details: { resource: 'activity', permission: 'export' },
    metadata: { order: input.order, ...describe(filter), digest: digestOf(input, salt) },
  });
  return { recordId, salt };
}

function withPass({ activities, next, previous }: Page, pass: ExportPass): Page {
  return {
    activities,
    ...(next !== undefined && { next: addPass(next, pass) }),
    ...(previous !== undefined && { previous: addPass(previous, pass) }),
  };
}

/** Parts of a filter whose values are what somebody wrote, and so can name anybody. */
const written = ['text', 'message', 'reason', 'targetLabel', 'metadata', 'details'] as const;

/** What was asked for: without the texts and personal fields of a person, who can have been erased before. */
function describe(filter: Filter): JsonObject {
  const query = formatQuery(filter);
  const named = personalFieldsOf(filter).length > 0 || written.some((part) => filter[part] !== undefined);
  return named || query.length > recordedQueryLengthMax ? { fields: Object.keys(filter) } : { query };
}
