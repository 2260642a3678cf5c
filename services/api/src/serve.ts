import { isReachable, type Services } from '@annals/core';
import { createAnnalsHandler } from '@annals/server';
import type { Config } from './config.ts';
import type { Ready } from './http.ts';
import type { Metrics, ServingMetrics } from './metrics.ts';

export interface Serving {
  readonly config: Pick<Config, 'tlogPublic'>;
  /** What this process counts. */
  readonly counted: ServingMetrics;
  /** What `/metrics` tells. */
  readonly metrics: Metrics;
  readonly warnings: Ready['warnings'];
}

/** What a process that serves answers with, on services of its own. */
export function readyToServe(services: Services, { config, counted, metrics, warnings }: Serving): Ready {
  const handler = createAnnalsHandler({
    services,
    tlogPublic: config.tlogPublic,
    onRequest: counted.observeRequest,
    onLogged: counted.observeLog,
  });
  return { handler, metrics, isReady: () => isReachable(services.db), warnings };
}
