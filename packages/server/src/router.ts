import { router } from './procedure.ts';
import { activityRouter } from './routers/activity.ts';
import { keyRouter } from './routers/key.ts';
import { tenantRouter } from './routers/tenant.ts';

/** All procedures of the contract, to be served by `createFetchHandler` or nested in a host's own router. */
export function createAnnalsRouter() {
  return router({
    activity: activityRouter,
    key: keyRouter,
    tenant: tenantRouter,
  });
}

export type AnnalsRouter = ReturnType<typeof createAnnalsRouter>;
