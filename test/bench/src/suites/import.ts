import { type Annals, createAnnals } from '@annals/client';
import { scopes } from '@annals/contract';
import { bootstrapKey, deploymentTenant } from '@annals/core';
import type { NewActivity } from '@annals/core/bench';
import { type Call, createCalls } from '../data/calls.ts';
import { openBench } from '../open-bench.ts';
import { openServer } from '../open-server.ts';
import { type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';
import { takeManyTurns } from '../take-turns.ts';
import { openReferences } from './ingest-references.ts';

const connections = 2;
const tenants = 16;
const callSize = 1_000;
/** Of each connection, between two looks at the clock. */
const callsPerLook = 4;

/** NDJSON in one request, over HTTP to a server of its own, and what it takes of that one's memory. */
export const imports: Suite = async ({ database, records, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  const server = await openServer(url);
  const references = await openReferences(url, connections);
  try {
    const key = { name: 'bench', scopes };
    for (let tenant = 0; tenant < tenants; tenant += 1) {
      await bootstrapKey(bench.services, { ...key, tenantId: `tenant-${tenant}` });
    }
    const { secret } = await bootstrapKey(bench.services, { ...key, tenantId: deploymentTenant });
    const client = createAnnals({ url: server.url, apiKey: secret });
    const nextCall = createCalls(Date.now() - 86_400_000);
    const eachConnection = async (write: (connection: number) => Promise<unknown>) => {
      await Promise.all(Array.from({ length: connections }, (_, connection) => write(connection)));
      return connections * callsPerLook * callSize;
    };
    const rounds = await takeManyTurns(
      {
        ours: () => eachConnection(() => importLines(client, nextCall, callsPerLook * callSize)),
        copy: () => eachConnection((connection) => copyCalls(references.copy, nextCall, connection)),
        logMany: () => eachConnection(() => logCalls(client, nextCall)),
      },
      turns,
    );
    const spec = { name: `NDJSON import over HTTP, ${connections} at once`, unit: 'records/s' };
    const memory: Row[] = [];
    for (const size of [records, records * 4]) {
      const before = await server.memory();
      await importLines(client, nextCall, size);
      const grown = ((await server.memory()) - before) / 2 ** 20;
      const name = `memory of the server after an import of ${size.toLocaleString('en')}`;
      memory.push(rowOf({ name, unit: 'MiB more', target: { of: 'ours', atMost: 100 } }, [{ ours: grown }]));
    }
    return [
      rowOf(
        { ...spec, referenceName: 'COPY BINARY', target: { of: 'ratio', atLeast: 0.5 } },
        rounds.map(({ ours, copy }) => ({ ours, reference: copy })),
      ),
      rowOf(
        { ...spec, referenceName: `logMany of ${callSize}` },
        rounds.map(({ ours, logMany }) => ({ ours, reference: logMany })),
      ),
      ...memory,
    ];
  } finally {
    await server.close();
    await references.close();
    await bench.close();
  }
};

type NextCall = (size: number) => Call;

async function importLines(client: Annals, nextCall: NextCall, lines: number): Promise<void> {
  function* source(): Generator<NewActivity> {
    for (let made = 0; made < lines; made += callSize) yield* nextCall(callSize).activities;
  }
  const { stored } = await client.import(source(), { tenantId: nextCall(1).tenantId }).totals();
  if (stored < lines) throw new Error('not stored');
}

async function copyCalls(
  copy: (call: Call, connection: number) => Promise<unknown>,
  nextCall: NextCall,
  connection: number,
): Promise<void> {
  for (let call = 0; call < callsPerLook; call += 1) await copy(nextCall(callSize), connection);
}

async function logCalls(client: Annals, nextCall: NextCall): Promise<void> {
  for (let call = 0; call < callsPerLook; call += 1) {
    const { tenantId, activities } = nextCall(callSize);
    await client.logMany(activities, { tenantId });
  }
}
