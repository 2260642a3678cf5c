import { router } from './procedure.ts';
import { activityRouter } from './routers/activity.ts';
import { holdRouter } from './routers/hold.ts';
import { integrityRouter } from './routers/integrity.ts';
import { jobRouter } from './routers/job.ts';
import { keyRouter } from './routers/key.ts';
import { privacyRouter } from './routers/privacy.ts';
import { retentionRouter } from './routers/retention.ts';
import { rollupRouter } from './routers/rollup.ts';
import { tenantRouter } from './routers/tenant.ts';

/** All procedures of the contract, to be served by `createFetchHandler` or nested in a host's own router. */
export function createAnnalsRouter() {
  return router({
    activity: activityRouter,
    integrity: integrityRouter,
    privacy: privacyRouter,
    hold: holdRouter,
    retention: retentionRouter,
    rollup: rollupRouter,
    job: jobRouter,
    key: keyRouter,
    tenant: tenantRouter,
  });
}

export type AnnalsRouter = ReturnType<typeof createAnnalsRouter>;
