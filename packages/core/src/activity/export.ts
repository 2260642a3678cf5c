import {
  type Filter,
  formatQuery,
  type JsonObject,
  type ListInput,
  type Page,
  personalFieldsOf,
} from '@annals/contract';
import type { Verb } from '../context.ts';
import { readPage } from './page.ts';
import { read, sightOf } from './read.ts';
import { ensureRecordPartition, recordActivity } from './record-activity.ts';
import { resolveFilter } from './resolve-filter.ts';

/** Longer query texts would crowd the record out. */
const recordedQueryLengthMax = 4_096;

/**
 * As `listActivities`, for taking records out: the first page is recorded as `annals.exported` in the same
 * transaction, so that no export begins unseen.
 */
export async function exportActivities({ ctx, input }: Verb<ListInput>): Promise<Page> {
  const filter = resolveFilter(ctx, input);
  const first = input.cursor === undefined;
  if (first) await ensureRecordPartition(ctx);
  return read(ctx, async (tx) => {
    const page = await readPage(tx, { ...input, filter, sight: sightOf(ctx) });
    if (first) {
      await recordActivity(tx, ctx, {
        action: 'annals.exported',
        kind: 'data_access',
        operation: 'read',
        target: { type: 'export', id: ctx.tenantId },
        details: { resource: 'activity', permission: 'export' },
        metadata: { order: input.order, ...describe(filter) },
      });
    }
    return page;
  });
}

/** What was asked for: never a person's data, which would outlive their erasure in the record of the export. */
function describe(filter: Filter): JsonObject {
  const query = formatQuery(filter);
  const named = personalFieldsOf(filter).length > 0 || filter.text !== undefined;
  return named || query.length > recordedQueryLengthMax ? { fields: Object.keys(filter) } : { query };
}
