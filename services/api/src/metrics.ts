import type { LogResult } from '@annals/contract';
import type { Database, SignerStatus } from '@annals/core';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the process counts, for `/metrics` in the Prometheus text format. */
export interface Metrics {
  /** One HTTP call to the router, however many procedures it batches. */
  readonly observeRequest: (request: {
    readonly procedure: string;
    readonly status: number;
    readonly durationMs: number;
  }) => void;
  readonly observeLog: (result: Pick<LogResult, 'stored' | 'duplicates' | 'refused'>) => void;
  render(): Promise<{ contentType: string; body: string }>;
}

export interface MetricsSources {
  readonly database: Pick<Database, 'pools'>;
  readonly queueDepth: () => Promise<{ waiting: number; running: number }>;
  readonly sequencingLagMs: () => Promise<number>;
  readonly signingLagMs: () => Promise<number>;
  /** Undefined in a process that does not sign. */
  readonly signer: () => SignerStatus | undefined;
}

/** Labels are procedures, statuses and roles: closed sets, and never personal data. */
export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'annals_requests_total',
    help: 'Calls to the router by procedure and HTTP status.',
    labelNames: ['procedure', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'annals_request_duration_seconds',
    help: 'Time from a call to its answer.',
    labelNames: ['procedure'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const activities = new Counter({
    name: 'annals_activities_total',
    help: 'Activities handed to activity.log by what became of them.',
    labelNames: ['result'],
    registers,
  });
  registerDatabaseGauges(registry, sources);
  registerLogGauges(registry, sources);
  registerSignerGauges(registry, sources);
  return {
    observeRequest: ({ procedure, status, durationMs }) => {
      requests.inc({ procedure, status });
      duration.observe({ procedure }, durationMs / 1_000);
    },
    observeLog: ({ stored, duplicates, refused }) => {
      activities.inc({ result: 'stored' }, stored);
      activities.inc({ result: 'duplicate' }, duplicates);
      activities.inc({ result: 'refused' }, refused);
    },
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function registerLogGauges(registry: Registry, { sequencingLagMs }: MetricsSources): void {
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

function registerSignerGauges(registry: Registry, { signingLagMs, signer }: MetricsSources): void {
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

function registerDatabaseGauges(registry: Registry, { database, queueDepth }: MetricsSources): void {
  registry.registerMetric(
    new Gauge({
      name: 'annals_database_connections',
      help: 'Connections of each pool by state; `waiting` counts callers.',
      labelNames: ['role', 'state'],
      registers: [],
      async collect() {
        for (const { role, total, idle, waiting } of await database.pools()) {
          this.set({ role, state: 'busy' }, total - idle);
          this.set({ role, state: 'idle' }, idle);
          this.set({ role, state: 'waiting' }, waiting);
        }
      },
    }),
  );
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
