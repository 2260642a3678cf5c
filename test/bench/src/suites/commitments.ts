import { randomFillSync } from 'node:crypto';
import { type Activity, ActivityInput } from '@annals/contract';
import { commitRecords, type LoggedRecord, rebuildEntry, saltBytes } from '@annals/tlog';
import { generateActivities } from '../data/activities.ts';
import { rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';
import { takeTurns } from '../take-turns.ts';

const batchSize = 1_000;

/** Leaf hashes of activities: as appends compute them, beside one hash at a time. */
export const commitments: Suite = async (turns) => {
  const records = sampleRecords(batchSize);
  const seeds = randomFillSync(new Uint8Array(batchSize * saltBytes));
  const ours = () => {
    commitRecords(records, seeds);
    return batchSize;
  };
  const reference = () => {
    for (const [at, record] of records.entries()) {
      rebuildEntry(record, { seed: seeds.subarray(at * saltBytes, (at + 1) * saltBytes) });
    }
    return batchSize;
  };
  return [
    rowOf(
      {
        name: 'leaf commitments, 1 kB records, one core',
        unit: 'records/s',
        referenceName: 'one hash at a time',
        target: { of: 'ours', atLeast: 60_000 },
      },
      await takeTurns({ ours, reference }, turns),
    ),
  ];
};

/** Activities as a log commits to them, their defaults filled in. */
function sampleRecords(count: number): LoggedRecord[] {
  const startMs = Date.UTC(2026, 0, 1);
  return generateActivities({ seed: 1, startMs, stepMs: 1_000 })
    .take(count)
    .map((input) => ({ ...ActivityInput.parse(input), recordedAt: new Date(startMs) }) as unknown as Activity)
    .toArray();
}
