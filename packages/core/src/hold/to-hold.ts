import { Filter, formatQuery, type Hold } from '@annals/contract';
import type { InferEntity } from '@mikro-orm/core';
import { seesPersonal } from '../activity/resolve-filter.ts';
import type { Context } from '../context.ts';
import type { HoldEntity } from './entity.ts';
import { type HoldRequest, isFilter, isPerson } from './hold-request.ts';

export type HoldRow = InferEntity<typeof HoldEntity>;

/** A stored hold as it is shown to the caller. */
export function toHold(row: HoldRow, ctx: Pick<Context, 'principal'>): Hold {
  const personal = seesPersonal(ctx);
  return {
    id: row.id,
    tenantId: row.tenantId,
    name: row.name,
    over: row.request.over,
    ...whatItIsOver(row.request, personal),
    createdAt: row.createdAt,
    createdBy: row.createdBy,
    ...(row.releasedAt && { releasedAt: row.releasedAt }),
    ...(row.releasedBy && { releasedBy: row.releasedBy }),
    ...(personal && row.releaseReason && { releaseReason: row.releaseReason }),
  };
}

/** Who does not see personal fields sees the filters of those who did not either. */
function whatItIsOver(request: HoldRequest, personal: boolean): Pick<Hold, 'query' | 'person'> {
  if (isFilter(request) && (personal || !request.personal)) {
    return { query: formatQuery(Filter.parse(request.filter)) };
  }
  if (isPerson(request) && personal) {
    return { person: { ids: [...request.ids], identifiers: [...request.identifiers] } };
  }
  return {};
}
