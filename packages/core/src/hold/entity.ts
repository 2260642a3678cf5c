import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';

/** A legal hold: what it matches is neither erased nor purged until it is released. */
export const HoldEntity = defineEntity({
  name: 'Hold',
  tableName: 'hold',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    id: p.uuid().primary(),
    name: p.text(),
    /** What it is over: a filter, or a person. */
    request: p.json<object>(),
    createdAt: p.datetime(3),
    createdBy: p.text(),
    releasedAt: p.datetime(3).nullable(),
    releasedBy: p.text().nullable(),
  },
});
