import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { scopes } from '@annals/contract';
import { bootstrapKey, deploymentTenant, type Services, sequencingLag } from '@annals/core';
import { tenantCount } from '../data/calls.ts';
import { openBench } from '../open-bench.ts';
import { openServer } from '../open-server.ts';
import { findPostgres, processorTimeOf } from '../processor-time.ts';
import { type Row, type RowSpec, rowOf, type Target } from '../row.ts';
import { type Child, startChild } from '../soak/child.ts';
import type { Suite } from '../suite.ts';
import type { ClientCommands, Ran, Way } from './ingest-client.ts';

/** A run, and microseconds of processor time of who did the work. */
interface Turn extends Ran {
  readonly serverUs: number;
  readonly postgresUs: number;
}

type Round = Readonly<Record<Way, Turn>>;

/** In the order in which they take their turns. */
const ways: readonly Way[] = [
  'logMany',
  'copy',
  'insertMany',
  'log',
  'insertEach',
  'flushEach',
  'drizzleEach',
];

/**
 * From the SDK in a process of its own, over HTTP, through the real server, until the answer to what is committed,
 * committed to and in its way into the log. Client, server and database share the machine, as they do for the references.
 */
export const ingestOverHttp: Suite = async ({ database, rounds, seconds }) => {
  const databaseUrl = await database();
  const bench = await openBench(databaseUrl);
  const server = await openServer(databaseUrl);
  const client = startChild<ClientCommands>(join(import.meta.dirname, 'ingest-client.ts'));
  try {
    const apiKey = await prepareTenants(bench.services);
    await client.call('open', { url: server.url, apiKey, databaseUrl });
    const postgres = await findPostgres(databaseUrl);
    const watched = { client, services: bench.services, server: server.pid, postgres };
    for (const way of ways) await takeTurn(watched, way, Math.min(seconds, 1));
    const taken: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const turns: [Way, Turn][] = [];
      for (const way of ways) turns.push([way, await takeTurn(watched, way, seconds)]);
      taken.push(Object.fromEntries(turns) as Round);
    }
    return [...rateRows(taken), ...latencyRows(taken), ...processorRows(taken)];
  } finally {
    await client.close();
    await server.close();
    await bench.close();
  }
};

async function prepareTenants(services: Services): Promise<string> {
  const key = { name: 'bench', scopes };
  for (let tenant = 0; tenant < tenantCount; tenant += 1) {
    await bootstrapKey(services, { ...key, tenantId: `tenant-${tenant}` });
  }
  return (await bootstrapKey(services, { ...key, tenantId: deploymentTenant })).secret;
}

interface Watched {
  readonly client: Child<ClientCommands>;
  readonly services: Services;
  readonly server: number;
  readonly postgres: number | undefined;
}

async function takeTurn(
  { client, services, server, postgres }: Watched,
  way: Way,
  seconds: number,
): Promise<Turn> {
  const times = () => Promise.all([processorTimeOf(server), processorTimeOf(postgres ?? 0)]);
  const before = await times();
  const ran = await client.call('run', { way, seconds });
  // What is left to do of it would be done at the cost of whose turn is next.
  while ((await sequencingLag(services)) > 0) await delay(10);
  const after = await times();
  return { ...ran, serverUs: after[0] - before[0], postgresUs: after[1] - before[1] };
}

const bulk = 'log over HTTP, 1,000 a call, 2 at once';
const single = 'log over HTTP, 1 a call, 64 at once';

function atLeast(least: number): Target {
  return { of: 'ratio', atLeast: least };
}

function rateRows(taken: readonly Round[]): Row[] {
  const rate = (way: Way) => (round: Round) => (round[way].records * 1_000) / round[way].ms;
  const beside = (ours: Way, reference: Way, spec: Omit<RowSpec, 'unit'>) =>
    rowBeside(taken, { ...spec, unit: 'records/s' }, { ours: rate(ours), reference: rate(reference) });
  const names = {
    copy: 'COPY BINARY, 2 connections',
    many: 'INSERT of 1,000 rows, 2 connections',
    each: 'prepared INSERT each, 4 connections',
    flush: 'a MikroORM flush each, 4 connections',
    drizzle: 'a Drizzle insert each, 4 connections',
  };
  return [
    beside('logMany', 'copy', { name: bulk, referenceName: names.copy, target: atLeast(0.5) }),
    beside('logMany', 'insertMany', { name: bulk, referenceName: names.many, target: atLeast(1) }),
    beside('logMany', 'flushEach', { name: bulk, referenceName: names.flush, target: atLeast(15) }),
    beside('logMany', 'drizzleEach', { name: bulk, referenceName: names.drizzle, target: atLeast(15) }),
    beside('log', 'insertEach', { name: single, referenceName: names.each, target: atLeast(1.3) }),
    beside('log', 'flushEach', { name: single, referenceName: names.flush, target: atLeast(3.5) }),
    beside('log', 'drizzleEach', { name: single, referenceName: names.drizzle }),
  ];
}

function latencyRows(taken: readonly Round[]): Row[] {
  return (['p50', 'p99'] as const).map((part) =>
    rowBeside(
      taken,
      { name: `${single}, ${part}`, unit: 'ms', referenceName: 'prepared INSERT each, 4 at once' },
      { ours: (round) => round.log[part], reference: (round) => round.insertEach[part] },
    ),
  );
}

const parties = { clientUs: 'the client', serverUs: 'the server', postgresUs: 'PostgreSQL' } as const;

/** Of each record. Of what the database or the system does not tell there is no row. */
function processorRows(taken: readonly Round[]): Row[] {
  const loads = [
    { ours: 'logMany', reference: 'copy', name: bulk, referenceName: 'COPY BINARY' },
    { ours: 'log', reference: 'insertEach', name: single, referenceName: 'prepared INSERT each' },
  ] as const;
  return loads.flatMap(({ ours, reference, name, referenceName }) =>
    (Object.keys(parties) as (keyof typeof parties)[])
      .filter((party) => taken.every((round) => round[ours][party] > 0))
      .map((party) => {
        const each = (way: Way) => (round: Round) => round[way][party] / round[way].records;
        const beside = party !== 'serverUs' && { referenceName };
        return rowBeside(
          taken,
          { name: `${name}, processor time of ${parties[party]}`, unit: 'us/record', ...beside },
          { ours: each(ours), ...(beside && { reference: each(reference) }) },
        );
      }),
  );
}

interface Beside {
  readonly ours: (round: Round) => number;
  readonly reference?: (round: Round) => number;
}

function rowBeside(taken: readonly Round[], spec: RowSpec, { ours, reference }: Beside): Row {
  const rounds = taken.map((round) => ({
    ours: ours(round),
    ...(reference && { reference: reference(round) }),
  }));
  return rowOf(spec, rounds);
}
