import { setTimeout as delay } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { addFigures, type Figures, keepCounts } from './add-figures.ts';
import type { Fork } from './start-fork.ts';

/** Knows the forks that live, and adds up what all have told. */
export interface Gatherer {
  readonly forks: ReadonlySet<Fork>;
  add(fork: Fork): Fork;
  /** One registry of this process and the forks. A fork that says nothing for 2 s stands with what it told before. */
  gather(own: Registry): Promise<Registry>;
}

const patienceMs = 2_000;

export function createGatherer(): Gatherer {
  const forks = new Set<Fork>();
  const last = new Map<Fork, Figures>();
  let left: Promise<Figures> = Promise.resolve([]);
  const ask = async (fork: Fork) => {
    const answer = fork.line.ask('figures').catch(() => undefined);
    const figures = await Promise.race([answer, delay(patienceMs, undefined, { ref: false })]);
    if (figures && forks.has(fork)) last.set(fork, figures);
  };
  return {
    forks,
    add: (fork) => {
      forks.add(fork);
      void fork.ended.then(() => {
        forks.delete(fork);
        const told = last.get(fork) ?? [];
        last.delete(fork);
        left = left.then((before) => keepCounts(before, told));
      });
      return fork;
    },
    gather: async (own) => {
      await Promise.all([...forks].map(ask));
      return addFigures([await own.getMetricsAsJSON(), await left, ...last.values()]);
    },
  };
}
