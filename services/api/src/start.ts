import { scopes } from '@annals/contract';
import {
  authenticate,
  bootstrapKey,
  type Context,
  listTenants,
  openServices,
  type Services,
  startRollups,
  startSequencer,
  startWorker,
} from '@annals/core';
import { operatorPrincipal } from '@annals/server';
import type { Logger } from 'pino';
import { renderBanner } from './banner.ts';
import type { Config } from './config.ts';
import { openDatabaseAccess } from './database-access.ts';
import { fillDemo } from './demo/fill-demo.ts';
import { type DevAccess, readDevAccess, writeDevAccess } from './dev-access.ts';
import type { Front } from './front.ts';
import { serveInForks } from './processes/serve-in-forks.ts';
import { serveHere } from './serve-here.ts';
import { startSigning } from './start-signing.ts';

export interface RunningAnnals {
  /** Where it listens; absent for a process that only runs jobs. */
  readonly url: string | undefined;
  /** Resolves with a sentence if something it needs ends by itself. */
  readonly failed: Promise<string>;
  /** Answer what is in hand, finish the chunks in hand, stop everything. */
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly log: Logger;
  /** For the operator: the address, the key and what to try. */
  readonly print: (text: string) => void;
}

const demoTenant = 'demo';
const graceMs = 10_000;

/**
 * Start the process. Whatever was started is stopped again when a later part fails.
 *
 * Errors  StartError or AnnalsError with a sentence for the operator.
 */
export async function startAnnals(config: Config, { log, print }: StartOptions): Promise<RunningAnnals> {
  await using starting = new AsyncDisposableStack();
  const failed = Promise.withResolvers<string>();
  const front = await openFront(config, log);
  if (front) starting.defer(() => front.close(graceMs));
  const database = await openDatabaseAccess(config, { log, onFailed: failed.resolve });
  starting.defer(() => database.close());
  const opened = await openServices({
    database: database.access,
    migrate: true,
    poolMax: config.databasePoolMax,
    readTimeoutMs: config.readTimeoutMs,
    manifestIntervalMs: config.manifestIntervalMs,
    log,
  });
  const { services } = opened;
  starting.defer(() => opened.close());
  if (config.worker !== 'off') {
    const worker = await startWorker(services, database.queue);
    starting.defer(() => worker.stop());
    const sequencer = startSequencer(services);
    starting.defer(() => sequencer.stop());
    const rollups = startRollups(services);
    starting.defer(() => rollups.stop());
  }
  const signer = await startSigning(services, { config, database });
  if (signer) starting.defer(() => signer.stop());
  const url = front && (config.publicUrl ?? `http://${urlHost(config.host)}:${front.port}`);
  if (front && url) {
    await front.open({ services, signer }, database.access);
    // Only where the database is ours: somebody else's gets neither a key nor made-up records.
    if (database.embedded) await welcome(services, { config, url, print });
    else print(`Annals listens on ${url}`);
  }
  const { processes, worker } = config;
  log.info({ listening: url, processes, worker, database: config.database.mode }, 'ready');
  const running = starting.move();
  return {
    url,
    failed: failed.promise,
    stop: async () => {
      // Before anything that calls in hand still need.
      await front?.close(graceMs);
      await running.disposeAsync();
      log.info({}, 'stopped');
    },
  };
}

/** Undefined for a process that only runs jobs. Errors  StartError naming the port that is taken. */
async function openFront(config: Config, log: Logger): Promise<Front | undefined> {
  if (config.worker === 'only') return undefined;
  return config.processes === 1 ? serveHere(config) : serveInForks(config, log);
}

interface Welcome {
  readonly config: Config;
  readonly url: string;
  readonly print: (text: string) => void;
}

/** The demo tenant, its key in `dev.json`, its month of activities, and what to do next. */
async function welcome(services: Services, { config, url, print }: Welcome): Promise<void> {
  const access = await devAccess(services, config.dataDir, url);
  await writeDevAccess(config.dataDir, access);
  const demo = config.demo
    ? await fillDemo(services, { tenantId: demoTenant, end: await createdAt(services) })
    : undefined;
  print(renderBanner(access, demo));
}

/** The key of an earlier start while it is valid, else a new one. */
async function devAccess(services: Services, dataDir: string, url: string): Promise<DevAccess> {
  const earlier = await readDevAccess(dataDir);
  const valid =
    earlier &&
    (await authenticate(services, earlier.apiKey).then(
      () => true,
      () => false,
    ));
  if (valid) return { ...earlier, url };
  const { secret } = await bootstrapKey(services, {
    tenantId: demoTenant,
    name: 'development',
    scopes: [...scopes],
  });
  return { url, apiKey: secret, tenantId: demoTenant };
}

/** The demo's month ends when its tenant was made, so that every start generates the same activities. */
async function createdAt(services: Services): Promise<Date> {
  const ctx: Context = {
    ...services,
    principal: operatorPrincipal(),
    tenantId: demoTenant,
    requestId: 'start',
  };
  const { tenants } = await listTenants({ ctx });
  return tenants.find(({ id }) => id === demoTenant)?.createdAt ?? services.clock.now();
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
