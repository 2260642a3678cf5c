import {
  queueDepth,
  readinessWarnings,
  type Services,
  type Signer,
  sequencingLag,
  signerWarnings,
  signingLag,
} from '@annals/core';
import type { DeploymentSources } from './deployment-metrics.ts';

/** What is there once, however many processes serve. */
export interface Deployment {
  readonly services: Services;
  /** Undefined where another server signs. */
  readonly signer: Signer | undefined;
}

export function deploymentSources({ services, signer }: Deployment): DeploymentSources {
  return {
    queueDepth: () => queueDepth(services.db),
    sequencingLagMs: () => sequencingLag(services),
    signingLagMs: () => signingLag(services),
    signer: () => signer?.status(),
  };
}

/** What somebody should look at although requests are answered. */
export async function deploymentWarnings({ services, signer }: Deployment): Promise<string[]> {
  return [...(signer ? signerWarnings(signer.status()) : []), ...(await readinessWarnings(services))];
}
