import { appendActivities, startSequencer } from '@annals/core';
import { appendUncommitted } from '@annals/core/bench';
import { generateActivities } from '../data/activities.ts';
import { freshen, openBench } from '../open-bench.ts';
import { rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';
import { takeTurns } from '../take-turns.ts';

const tenants = 16;
const callSize = 1_000;
const connections = 2;

/** What integrity costs an append: commitments, the batch row and the sequencer, beside none of it. */
export const ingest: Suite = async ({ database, ...turns }) => {
  const bench = await openBench(await database());
  const sequencer = startSequencer(bench.services);
  const startMs = Date.now() - 86_400_000;
  const samples = generateActivities({ seed: 2, startMs, stepMs: 1_000 })
    .take(20 * callSize)
    .toArray();
  let call = 0;
  const next = () => {
    call += 1;
    const from = (call * callSize) % samples.length;
    return {
      ctx: bench.context(`tenant-${call % tenants}`),
      input: { activities: freshen(samples.slice(from, from + callSize), startMs + call) },
    };
  };
  const atOnce = async (append: () => Promise<unknown>) => {
    await Promise.all(Array.from({ length: connections }, append));
    return connections * callSize;
  };
  try {
    const rounds = await takeTurns(
      {
        ours: () => atOnce(() => appendActivities(next())),
        reference: () => atOnce(() => appendUncommitted(next())),
      },
      turns,
    );
    return [
      rowOf(
        {
          name: `append with integrity, calls of ${callSize}, ${connections} at once, ${tenants} tenants`,
          unit: 'records/s',
          referenceName: 'without integrity',
          target: { of: 'ratio', atLeast: 0.65 },
        },
        rounds,
      ),
    ];
  } finally {
    await sequencer.stop();
    await bench.close();
  }
};
