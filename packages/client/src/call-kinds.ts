import type { ProcedureName } from '@annals/contract';

/** Kept here, so that who calls them need not load the schemas of all procedures. */
export const mutations: ReadonlySet<ProcedureName> = new Set([
  'activity.log',
  'privacy.planAnonymize',
  'privacy.applyAnonymize',
  'privacy.planRedact',
  'privacy.applyRedact',
  'hold.create',
  'hold.release',
  'retention.setPolicies',
  'retention.plan',
  'retention.applyPlan',
  'rollup.check',
  'job.cancel',
  'job.resume',
  'key.create',
  'key.revoke',
  'tenant.create',
]);

/** Calls that may be made twice: queries, and what comes to the same when it is done again. */
export const repeatable: ReadonlySet<ProcedureName> = new Set([
  'activity.log',
  'activity.get',
  'activity.list',
  'activity.export',
  'activity.count',
  'activity.stats',
  'activity.facets',
  'activity.summary',
  'integrity.checkpoint',
  'integrity.proof',
  'integrity.consistency',
  'integrity.tile',
  'retention.policies',
  'retention.setPolicies',
  'rollup.check',
  'job.get',
  'job.list',
  'job.resume',
  'key.list',
  'key.revoke',
  'key.current',
  'tenant.list',
]);
