import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';
import type { HoldRequest } from './hold-request.ts';

/** A legal hold: what it matches is neither erased nor purged until it is released. */
export const HoldEntity = defineEntity({
  name: 'Hold',
  tableName: 'hold',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    id: p.uuid().primary(),
    name: p.text(),
    /** What it is over; of a released one only of which sort that was. */
    request: p.json<HoldRequest>(),
    createdAt: p.datetime(3),
    createdBy: p.text(),
    releasedAt: p.datetime(3).nullable(),
    releasedBy: p.text().nullable(),
    releaseReason: p.text().nullable(),
  },
});
