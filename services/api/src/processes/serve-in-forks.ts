import type { Logger } from 'pino';
import { Counter, type Registry } from 'prom-client';
import type { Config } from '../config.ts';
import { type Deployment, deploymentSources, deploymentWarnings } from '../deployment.ts';
import { registerDeployment } from '../deployment-metrics.ts';
import type { Front } from '../front.ts';
import { listen } from '../http.ts';
import { createRegistry, renderRegistry } from '../metrics.ts';
import { createGatherer, type Gatherer } from './create-gatherer.ts';
import type { FirstCalls, Opening } from './fork-calls.ts';
import { replaceForks } from './replace-forks.ts';
import { endFork, type Fork, orEnded, startFork } from './start-fork.ts';

/**
 * Serve in as many processes as the settings say, and put another in the place of each that ends. They share one
 * listening socket, whose connections this process hands out in turn; it answers nothing itself.
 *
 * Errors  StartError naming the port that is taken or not permitted.
 */
export async function serveInForks(config: Config, log: Logger): Promise<Front> {
  const stopping = new AbortController();
  const gatherer = createGatherer();
  const opened = Promise.withResolvers<Opened>();
  const start = () => gatherer.add(startFork(answersOf(opened.promise, gatherer)));
  const first = Array.from({ length: config.processes }, start);
  const close = async (graceMs: number) => {
    stopping.abort();
    await Promise.all([...gatherer.forks].map((fork) => endFork(fork, graceMs)));
  };
  const { host } = config;
  const port = await listenAll(first, config).catch(async (error: unknown) => {
    await close(0);
    throw error;
  });
  const begin = async (fork: Fork) => {
    await fork.line.ask('open', (await opened.promise).opening);
    // Last, since its share of the callers would be sent away meanwhile.
    await fork.line.ask('listen', { host, port });
  };
  let replaced = 0;
  const startAnother = () => {
    replaced += 1;
    return start();
  };
  for (const fork of first) {
    void replaceForks(fork, { start: startAnother, begin, log, signal: stopping.signal });
  }
  return {
    port,
    open: async (deployment, database) => {
      const opening = { config, database };
      await Promise.all(first.map((fork) => orEnded(fork, fork.line.ask('open', opening))));
      opened.resolve({ deployment, opening, registry: registryOf(deployment, () => replaced) });
    },
    close,
  };
}

interface Opened {
  readonly deployment: Deployment;
  readonly opening: Opening;
  /** Of this process. */
  readonly registry: Registry;
}

function answersOf(opened: Promise<Opened>, gatherer: Gatherer): FirstCalls {
  return {
    metrics: async () => renderRegistry(await gatherer.gather((await opened).registry)),
    warnings: async () => deploymentWarnings((await opened).deployment),
  };
}

/** A number is needed: a socket is shared by those who name the same one. */
async function listenAll(forks: readonly Fork[], { host, port }: Config): Promise<number> {
  const address = { host, port: port === 0 ? await findFreePort(host) : port };
  await Promise.all(forks.map((fork) => orEnded(fork, fork.line.ask('listen', address))));
  return address.port;
}

async function findFreePort(host: string): Promise<number> {
  const http = await listen({ host, port: 0 });
  await http.close(0);
  return http.port;
}

function registryOf(deployment: Deployment, replaced: () => number): Registry {
  const registry = createRegistry(deployment.services.db);
  registerDeployment(registry, deploymentSources(deployment));
  registry.registerMetric(
    new Counter({
      name: 'annals_processes_replaced_total',
      help: 'Processes that served, ended by themselves, and were replaced. Alert on it.',
      registers: [],
      collect() {
        this.reset();
        this.inc(replaced());
      },
    }),
  );
  return registry;
}
