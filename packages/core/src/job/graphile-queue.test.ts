import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../logger.ts';
import { openTestCore, type TestCore } from '../testing.ts';
import { openJobQueue, startJobWorker } from './graphile-queue.ts';

let core: TestCore;
beforeAll(async () => {
  core = await openTestCore();
});
afterAll(() => core.close());

test('a job handed to the queue by the app role is run by the custodian, and stopping waits for it', async () => {
  const connection = { url: core.url, setRole: true, log: silentLogger };
  const queue = await openJobQueue(connection);
  const seen: unknown[] = [];
  let maintained = 0;
  const arrived = Promise.withResolvers<void>();
  const worker = await startJobWorker(
    { ...connection, concurrency: 1 },
    {
      runJob: async (job, signal) => {
        arrived.resolve();
        await new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        );
        seen.push(job);
      },
      maintain: async () => void (maintained += 1),
    },
  );
  expect(maintained).toBe(1);
  await queue.enqueue({ tenantId: 't', jobId: 'j' });
  await arrived.promise;
  expect(await queue.depth()).toEqual({ waiting: 0, running: 1 });
  await worker.stop();
  expect(seen).toEqual([{ tenantId: 't', jobId: 'j' }]);
  await queue.close();
});
