import { appendActivities, startSequencer } from '@annals/core';
import { appendUncommitted } from '@annals/core/bench';
import { type Call, createCalls } from '../data/calls.ts';
import { openBench } from '../open-bench.ts';
import { type RowSpec, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';
import { takeManyTurns, type Work } from '../take-turns.ts';
import { ingestOverHttp } from './ingest-over-http.ts';
import { openReferences, type Write } from './ingest-references.ts';

const connections = 4;
const bulk = { callers: 2, callSize: 1_000, calls: 4 };
const single = { callers: 64, callSize: 1, calls: 1_000 };

/** Writes over HTTP, and then in the process of the server, beside other ways to write the same records. */
export const ingest: Suite = async (options) => [
  ...(await ingestOverHttp(options)),
  ...(await ingestInProcess(options)),
];

const ingestInProcess: Suite = async ({ database, ...turns }) => {
  const url = await database();
  const bench = await openBench(url);
  const references = await openReferences(url, connections);
  const sequencer = startSequencer(bench.services);
  const nextCall = createCalls(Date.now() - 86_400_000);
  const request = ({ tenantId, activities }: Call) => ({
    ctx: bench.context(tenantId),
    input: { activities },
  });
  const { copy, insertMany, insertEach, flushEach } = references;
  const ours: Write = (call) => appendActivities(request(call));
  try {
    const many = await takeManyTurns(
      {
        ours: drive(bulk, nextCall, ours),
        copy: drive(bulk, nextCall, copy),
        insertMany: drive(bulk, nextCall, insertMany),
        flushEach: drive({ ...single, callers: connections, calls: 200 }, nextCall, flushEach),
        uncommitted: drive(bulk, nextCall, (call) => appendUncommitted(request(call))),
      },
      turns,
    );
    const one = await takeManyTurns(
      {
        ours: drive(single, nextCall, ours),
        insertEach: drive({ ...single, callers: connections }, nextCall, insertEach),
        flushEach: drive({ ...single, callers: connections, calls: 200 }, nextCall, flushEach),
      },
      turns,
    );
    return [
      ...rowsBeside(many, bulkName, [
        ['copy', 'COPY BINARY', 0.5],
        ['insertMany', 'INSERT of 1,000 rows', 1],
        ['flushEach', `an ORM flush each, ${connections} connections`, 15],
        ['uncommitted', 'without integrity', 0.65],
      ]),
      ...rowsBeside(one, singleName, [
        ['insertEach', `prepared INSERT each, ${connections} connections`, 1.3],
        ['flushEach', `an ORM flush each, ${connections} connections`, 3.5],
      ]),
    ];
  } finally {
    await sequencer.stop();
    await references.close();
    await bench.close();
  }
};

const bulkName = `append in process, ${bulk.callSize} a call, ${bulk.callers} at once`;
const singleName = `append in process, 1 a call, ${single.callers} at once`;

interface Load {
  readonly callers: number;
  readonly callSize: number;
  /** Between two looks at the clock. */
  readonly calls: number;
}

/** Callers at once, each with its next call as soon as the one before is answered. */
function drive({ callers, callSize, calls }: Load, nextCall: (size: number) => Call, write: Write): Work {
  return async () => {
    let left = calls;
    const caller = async (number: number) => {
      while (left-- > 0) await write(nextCall(callSize), number);
    };
    await Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
    return calls * callSize;
  };
}

type Reference<Name> = readonly [name: Name, referenceName: string, atLeast: number];

/** A row for each reference that took its turn with ours. */
function rowsBeside<Name extends string>(
  rounds: readonly { readonly [N in Name | 'ours']: number }[],
  name: string,
  references: readonly Reference<Name>[],
) {
  return references.map(([reference, referenceName, atLeast]) => {
    const spec: RowSpec = { name, unit: 'records/s', referenceName, target: { of: 'ratio', atLeast } };
    return rowOf(
      spec,
      rounds.map((round) => ({ ours: round.ours, reference: round[reference] })),
    );
  });
}
