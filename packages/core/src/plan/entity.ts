import type { JobKind } from '@annals/contract';
import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';

/**
 * What a destructive run would do. `request` and `summary` of an anonymize plan name the person: both are
 * emptied when its job ends, and expired plans are deleted by maintenance.
 */
export const PlanEntity = defineEntity({
  name: 'Plan',
  tableName: 'plan',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    id: p.uuid().primary(),
    kind: p.type('text').$type<JobKind>(),
    status: p.type('text').$type<'open' | 'applied' | 'done'>(),
    request: p.json<object>(),
    /** What the plan told the operator: a contract `Plan` without its envelope. */
    summary: p.json<object>(),
    createdAt: p.datetime(3),
    expiresAt: p.datetime(3),
  },
});
