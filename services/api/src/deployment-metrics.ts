import type { SignerStatus } from '@annals/core';
import { Counter, Gauge, type Registry } from 'prom-client';

export interface DeploymentSources {
  readonly queueDepth: () => Promise<{ waiting: number; running: number }>;
  readonly sequencingLagMs: () => Promise<number>;
  readonly signingLagMs: () => Promise<number>;
  /** Undefined in a process that does not sign. */
  readonly signer: () => SignerStatus | undefined;
}

/** What is told once, by one of the processes: it is of the database, or of the one signer. */
export function registerDeployment(registry: Registry, sources: DeploymentSources): void {
  registerLogGauges(registry, sources);
  registerSignerGauges(registry, sources);
  registerQueueGauge(registry, sources);
}

function registerLogGauges(registry: Registry, { sequencingLagMs }: DeploymentSources): void {
  registry.registerMetric(
    new Gauge({
      name: 'annals_sequencing_lag_seconds',
      help: 'How long the oldest batch without a place in its log has waited; 0 when there is none.',
      registers: [],
      async collect() {
        this.set((await sequencingLagMs()) / 1_000);
      },
    }),
  );
}

function registerSignerGauges(registry: Registry, { signingLagMs, signer }: DeploymentSources): void {
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        async collect() {
          this.set(await read());
        },
      }),
    );
  gauge(
    'annals_signing_lag_seconds',
    'How long the log that has waited longest for its signature has waited; 0 when all are signed.',
    async () => (await signingLagMs()) / 1_000,
  );
  gauge('annals_signer_active', 'Whether this process signs, and does not only stand by.', () =>
    signer()?.role === 'active' ? 1 : 0,
  );
  gauge(
    'annals_signer_refused_logs',
    'Logs that the active signer does not sign, since they contradict what was signed. Alert on it.',
    () => signer()?.refusals.length ?? 0,
  );
  gauge(
    'annals_signer_uncosigned_logs',
    'Logs whose newest checkpoint a witness has not cosigned yet.',
    () => signer()?.uncosigned ?? 0,
  );
  registry.registerMetric(
    new Counter({
      name: 'annals_checkpoints_signed_total',
      help: 'Checkpoints that this process signed.',
      registers: [],
      collect() {
        this.reset();
        this.inc(signer()?.signed ?? 0);
      },
    }),
  );
}

function registerQueueGauge(registry: Registry, { queueDepth }: DeploymentSources): void {
  registry.registerMetric(
    new Gauge({
      name: 'annals_queue_jobs',
      help: 'Messages of the job queue by state.',
      labelNames: ['state'],
      registers: [],
      async collect() {
        const { waiting, running } = await queueDepth();
        this.set({ state: 'waiting' }, waiting);
        this.set({ state: 'running' }, running);
      },
    }),
  );
}
