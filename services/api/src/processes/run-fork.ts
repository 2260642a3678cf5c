import { type OpenedServices, openServices } from '@annals/core';
import { type HttpServer, listen, type Ready } from '../http.ts';
import { createLog } from '../log.ts';
import { createServingMetrics, type ServingMetrics } from '../metrics.ts';
import { readyToServe } from '../serve.ts';
import type { FirstCalls, ForkCalls, Opening } from './fork-calls.ts';
import { openLine } from './line.ts';

/**
 * Serve as the first process says, until it says stop or ends. Signals are for the first process: a terminal and
 * a service manager send them to all, and whoever ended at once would drop what is in hand.
 */
export function runFork(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // Without the first process there is no worker, no signer, and nobody who could stop this one.
  process.once('disconnect', () => process.exit(1));
  let http: HttpServer | undefined;
  let opened: Opened | undefined;
  const answers: ForkCalls = {
    listen: async (address) => {
      http = await listen(address);
      if (opened) http.open(opened.ready);
      return http.port;
    },
    open: async (opening) => {
      opened = await open(opening, first);
      http?.open(opened.ready);
    },
    figures: async () => (await opened?.counted.registry.getMetricsAsJSON()) ?? [],
    stop: async (graceMs) => {
      await http?.close(graceMs);
      await opened?.services.close();
      process.exit(0);
    },
  };
  const first = openLine<FirstCalls>(process, { ...answers });
}

interface Opened {
  readonly services: OpenedServices;
  readonly counted: ServingMetrics;
  readonly ready: Ready;
}

async function open(
  { config, database }: Opening,
  first: ReturnType<typeof openLine<FirstCalls>>,
): Promise<Opened> {
  const log = createLog(config.logLevel);
  const opened = await openServices({
    database,
    poolMax: config.databasePoolMax,
    readTimeoutMs: config.readTimeoutMs,
    manifestIntervalMs: config.manifestIntervalMs,
    log,
  });
  const counted = createServingMetrics(opened.services.db);
  const ready = readyToServe(opened.services, {
    config,
    counted,
    metrics: { render: () => first.ask('metrics') },
    warnings: () => first.ask('warnings'),
  });
  log.info({ pid: process.pid }, 'a process serves');
  return { services: opened, counted, ready };
}
