import type { Annals } from './annals.ts';
import { readBundle } from './bundle.ts';
import { exportActivities } from './export.ts';
import { importActivities } from './import.ts';
import { type Call, integrityOf } from './integrity.ts';
import { listActivities, selectionOf } from './list.ts';
import { loggingOf } from './log.ts';
import { type ClientOptions, settingsOf } from './options.ts';
import { tailActivities } from './tail.ts';
import { createTransport } from './transport.ts';
import { watchJob } from './watch-job.ts';
import { withTenant } from './with-tenant.ts';

/**
 * A client of one Annals server. It holds no connection and needs no closing.
 *
 * Every failure is an AnnalsError, `unavailable` when the server could not be reached; an abort throws the
 * signal's reason. What may safely be done twice is tried again when it fails for a passing reason.
 */
export function createAnnals(options: ClientOptions): Annals {
  const transport = createTransport(settingsOf(options));
  const call: Call = (name, input, callOptions) =>
    transport.call(name, withTenant(transport, input, callOptions), callOptions);
  return {
    ...loggingOf(transport.settings),
    import: (source, options) => importActivities(transport, source, options),
    get: (id, options) => call('activity.get', { id }, options),
    list: (selection, options) => listActivities(transport, selection, options),
    export: (selection, options) => exportActivities(transport, selection, options),
    tail: (selection, options) => tailActivities(transport, selection, options),
    bundle: (options) => readBundle(transport, options),
    count: (selection, options) => call('activity.count', selectionOf(selection), options),
    stats: (input, options) => call('activity.stats', input, options),
    facets: (input, options) => call('activity.facets', input, options),
    summary: (input, options) => call('activity.summary', input, options),
    ...integrityOf(call),
    privacy: {
      planAnonymize: (input, options) => call('privacy.planAnonymize', input, options),
      applyAnonymize: (input, options) => call('privacy.applyAnonymize', input, options),
      planRedact: (input, options) => call('privacy.planRedact', input, options),
      applyRedact: (input, options) => call('privacy.applyRedact', input, options),
      certificate: (jobId, options) => call('privacy.certificate', { jobId }, options),
    },
    holds: {
      create: (input, options) => call('hold.create', input, options),
      list: async ({ limit, ...options } = {}) =>
        (await call('hold.list', { ...(limit !== undefined && { limit }) }, options)).holds,
      release: (id, { reason, ...options } = {}) =>
        call('hold.release', { id, ...(reason !== undefined && { reason }) }, options),
    },
    retention: {
      policies: async (options) => (await call('retention.policies', {}, options)).policies,
      setPolicies: async (policies, options) =>
        (await call('retention.setPolicies', { policies: [...policies] }, options)).policies,
      plan: (options) => call('retention.plan', {}, options),
      apply: (input, options) => call('retention.applyPlan', input, options),
    },
    rollups: { check: (input = {}, options) => call('rollup.check', input, options) },
    jobs: {
      get: (id, options) => call('job.get', { id }, options),
      list: async ({ limit, ...options } = {}) =>
        (await call('job.list', { ...(limit !== undefined && { limit }) }, options)).jobs,
      cancel: (id, options) => call('job.cancel', { id }, options),
      resume: (id, options) => call('job.resume', { id }, options),
      watch: (id, options) => watchJob(transport, id, options),
    },
    keys: {
      create: (input, options) => call('key.create', input, options),
      list: async (options) => (await call('key.list', {}, options)).keys,
      revoke: (id, options) => call('key.revoke', { id }, options),
      current: (options) => transport.call('key.current', {}, options),
    },
    tenants: {
      list: async (options) => (await transport.call('tenant.list', {}, options)).tenants,
      create: (input, options) => transport.call('tenant.create', input, options),
    },
  };
}
