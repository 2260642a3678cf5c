import { type RowSpec, rowOf } from '../row.ts';
import { type Latencies, percentilesOf } from './latencies.ts';
import type { Failures } from './server-of.ts';
import type { SoakResult, SoakSeen } from './soak.ts';

const none = { of: 'ours', atMost: 0 } as const;

/** A row whose only round is the soak. */
interface Line extends Omit<RowSpec, 'name'> {
  readonly ours: number;
  readonly reference?: number;
}

/** What is asked of a soak, as rows, and all that it has seen beside them. */
export function soakRows(seen: SoakSeen): SoakResult {
  const lines = { ...speedLines(seen), ...memoryLines(seen), ...lossLines(seen) };
  const name = seen.options.kill ? 'soak under kills' : 'soak';
  const rows = Object.entries(lines).map(([what, { ours, reference, ...spec }]) =>
    rowOf({ name: `${name}, ${what}`, ...spec }, [{ ours, reference }]),
  );
  return { rows, details: detailsOf(seen) };
}

function speedLines({ options, written, read, ...seen }: SoakSeen): Record<string, Line> {
  const lengthMs = options.seconds * 1_000;
  return {
    'peak of ingest over HTTP, beside readers and tails': { unit: 'records/s', ours: seen.peakPerSecond },
    'rate held': {
      unit: 'records/s',
      ours: written.perSecond,
      reference: seen.askedPerSecond,
      referenceName: 'asked for',
      // What was not taken while nothing ran is made up for later, or not.
      ...(!options.kill && { target: { of: 'ratio', atLeast: 0.98 } }),
    },
    'erasing a person meanwhile': {
      unit: 'records/s',
      ours: seen.erased.examined / seen.erased.seconds,
    },
    ...latencyLines('a call of 100', written.latencies, lengthMs),
    ...latencyLines('a page of 50', read.pages, lengthMs),
    ...latencyLines('a count', read.counts, lengthMs),
    ...latencyLines('stats by action by day', read.stats, lengthMs),
  };
}

function latencyLines(what: string, latencies: Latencies, lengthMs: number): Record<string, Line> {
  const first = percentilesOf(latencies, { third: 0, lengthMs });
  const last = percentilesOf(latencies, { third: 2, lengthMs });
  const lines = (['p50', 'p95', 'p99', 'max'] as const).map((part): [string, Line] => [
    `${what} in the last third, ${part}`,
    { unit: 'ms', ours: last[part], reference: first[part], referenceName: 'first third' },
  ]);
  return Object.fromEntries(lines);
}

function memoryLines({ options, memory }: SoakSeen): Record<string, Line> {
  const lines = Object.entries(memory).map(([process, [, middle, last]]): [string, Line] => [
    `memory of the ${process} in the last third`,
    {
      unit: 'MB',
      ours: last / 1e6,
      reference: middle / 1e6,
      referenceName: 'middle third',
      // A server that was killed begins anew, so that its thirds are no story.
      ...(process === 'server' && !options.kill && { target: { of: 'ratio', atMost: 1.1 } }),
    },
  ]);
  return Object.fromEntries(lines);
}

function lossLines(seen: SoakSeen): Record<string, Line> {
  const { stored, tails, log, kills, options } = seen;
  const records = { unit: 'records', target: none };
  const ofTails = (what: 'missing' | 'double' | 'misplaced') => total(tails.map((tail) => tail[what]));
  return {
    'calls that failed': { unit: 'calls', target: none, ours: sum(errorsOf(seen)) },
    'records stored': { unit: 'records', ours: stored.stored },
    'acknowledged and lost': { ...records, ours: stored.lost },
    'stored twice, or never sent': { ...records, ours: stored.double + stored.foreign },
    [`not told by one of ${tails.length} tails`]: { ...records, ours: ofTails('missing') },
    'told twice': { ...records, ours: ofTails('double') },
    'told out of order': { ...records, ours: ofTails('misplaced') },
    'logs whole, sequenced and signed': {
      unit: 'logs',
      ours: log.valid ? 1 : 0,
      target: { of: 'ours', atLeast: 1 },
    },
    'traces of the erased person': { unit: 'values', target: none, ours: seen.erased.residual },
    'partitions made': {
      unit: 'partitions',
      ours: seen.partitionsMade.length,
      target: { of: 'ours', atLeast: 1 },
    },
    ...(options.kill && { kills: { unit: 'kills', ours: sum(kills) } }),
  };
}

/**
 * What must not be. Under kills an attempt may fail, since the SDK makes it again; that the server does not know what
 * to say it may not even then.
 */
function errorsOf({ options, written, read, told, serverErrors }: SoakSeen): Failures {
  const parts = [written, read];
  const attempts = addUp(parts.map(({ attempts }) => attempts));
  return addUp([
    ...parts.map(({ failures }) => failures),
    ...told.map(({ failures }) => failures),
    ...(options.kill ? [{ 500: attempts['500'] ?? 0 }] : [attempts, serverErrors]),
  ]);
}

function detailsOf(seen: SoakSeen): object {
  const { written, read, told, stored, tails } = seen;
  return {
    errors: errorsOf(seen),
    attempts: addUp([written.attempts, read.attempts]),
    serverErrors: seen.serverErrors,
    kills: seen.kills,
    memory: seen.memory,
    erased: seen.erased,
    partitionsMade: seen.partitionsMade,
    end: seen.end,
    stored,
    log: seen.log,
    tails: tails.map((tail, at) => ({ ...tail, resumed: told[at]?.resumed })),
    calls: { writes: written.latencies.ms.length, pages: read.pages.ms.length, stats: read.stats.ms.length },
    exported: read.exported,
  };
}

function addUp(parts: readonly Failures[]): Failures {
  const all: Failures = {};
  for (const [code, count] of parts.flatMap((part) => Object.entries(part))) {
    if (count > 0) all[code] = (all[code] ?? 0) + count;
  }
  return all;
}

function sum(failures: Failures): number {
  return total(Object.values(failures));
}

function total(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
