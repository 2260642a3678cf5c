import type { LogResult } from '@annals/contract';
import type { Database } from '@annals/core';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** `/metrics` in the Prometheus text format. */
export interface Metrics {
  render(): Promise<{ contentType: string; body: string }>;
}

/** What a process that serves counts of itself. */
export interface ServingMetrics {
  readonly registry: Registry;
  /** One HTTP call to the router, however many procedures it batches. */
  readonly observeRequest: (request: {
    readonly procedure: string;
    readonly status: number;
    readonly durationMs: number;
  }) => void;
  readonly observeLog: (result: Pick<LogResult, 'stored' | 'duplicates' | 'refused'>) => void;
}

/** What each process tells of itself. With several, their figures are added up. */
export function createRegistry(database: Pick<Database, 'pools'>): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerPools(registry, database);
  return registry;
}

/** Labels are procedures, statuses and roles: closed sets, and never personal data. */
export function createServingMetrics(database: Pick<Database, 'pools'>): ServingMetrics {
  const registry = createRegistry(database);
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
  return {
    registry,
    observeRequest: ({ procedure, status, durationMs }) => {
      requests.inc({ procedure, status });
      duration.observe({ procedure }, durationMs / 1_000);
    },
    observeLog: ({ stored, duplicates, refused }) => {
      activities.inc({ result: 'stored' }, stored);
      activities.inc({ result: 'duplicate' }, duplicates);
      activities.inc({ result: 'refused' }, refused);
    },
  };
}

export async function renderRegistry(registry: Registry): Promise<{ contentType: string; body: string }> {
  return { contentType: registry.contentType, body: await registry.metrics() };
}

function registerPools(registry: Registry, database: Pick<Database, 'pools'>): void {
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
}
