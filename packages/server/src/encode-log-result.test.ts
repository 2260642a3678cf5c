import type { LogItem, LogResult } from '@annals/contract';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeLogResult } from './encode-log-result.ts';
import { encodeOutput } from './encode-output.ts';

const id = fc.uuid({ version: 7 });
const date = fc.date({ noInvalidDate: true });
const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));
const proof = fc.option(
  fc.record({ index: fc.nat(), proof: fc.array(hash, { maxLength: 3 }) }, { noNullPrototype: true }),
);
const stored = fc
  .tuple(id, date, date, id, fc.nat(), hash, proof)
  .map(([activityId, occurredAt, recordedAt, batchId, position, leaf, proven]) => ({
    status: 'stored' as const,
    id: activityId,
    occurredAt,
    recordedAt,
    batchId,
    position,
    leaf,
    ...proven,
  }));
const duplicate = fc.tuple(id, date).map(([activityId, occurredAt]) => ({
  status: 'duplicate' as const,
  id: activityId,
  occurredAt,
}));
const refused = fc.tuple(fc.string({ unit: 'binary' }), fc.string(), fc.option(fc.nat())).map(
  ([message, path, limit]): LogItem => ({
    status: 'refused',
    code: 'invalid_input',
    message,
    path,
    ...(limit !== null && { limit }),
  }),
);
const results = fc.array(fc.oneof({ weight: 4, arbitrary: stored }, duplicate, refused), { maxLength: 6 });
const batch = fc.record(
  { id, size: fc.nat(), root: hash, checkpoint: fc.string() },
  { requiredKeys: ['id'] },
);

test('a result of activity.log is written as any output is', () => {
  fc.assert(
    fc.property(results, fc.array(batch, { maxLength: 2 }), fc.nat(), (items, batches, count) => {
      const counts = { stored: count, duplicates: 0, refused: 1, ack: 'committed' as const };
      const result = { results: items, ...counts, batches } as LogResult;
      expect(encodeLogResult(result)).toBe(JSON.stringify(encodeOutput(result)));
    }),
    { numRuns: 500 },
  );
});
