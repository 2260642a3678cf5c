import type { Config } from './config.ts';
import { deploymentSources, deploymentWarnings } from './deployment.ts';
import { registerDeployment } from './deployment-metrics.ts';
import type { Front } from './front.ts';
import { listen } from './http.ts';
import { createServingMetrics, renderRegistry } from './metrics.ts';
import { readyToServe } from './serve.ts';

/** Serve in this process. Errors  StartError naming the port that is taken or not permitted. */
export async function serveHere(config: Config): Promise<Front> {
  const http = await listen(config);
  return {
    port: http.port,
    open: (deployment) => {
      const { services } = deployment;
      const counted = createServingMetrics(services.db);
      const { registry } = counted;
      registerDeployment(registry, deploymentSources(deployment));
      const metrics = { render: () => renderRegistry(registry) };
      const warnings = () => deploymentWarnings(deployment);
      http.open(readyToServe(services, { config, counted, metrics, warnings }));
      return Promise.resolve();
    },
    close: (graceMs) => http.close(graceMs),
  };
}
