import { ensurePartitionsAhead } from '../activity/partitions.ts';
import type { Services } from '../context.ts';
import { deleteExpiredPlans } from '../plan/delete-expired-plans.ts';
import { describeFailure } from './describe-failure.ts';
import { deleteDeadMessages } from './graphile-queue.ts';
import { requeueIdleJobs } from './requeue-idle-jobs.ts';

const monthsAhead = 2;

/** What keeps the database in order; each part is harmless to run twice, or in several processes. */
const parts = {
  requeueIdleJobs,
  deleteExpiredPlans,
  deleteDeadMessages,
  ensurePartitionsAhead: (services: Services) => ensurePartitionsAhead(services, monthsAhead),
};

/** Run the maintenance once. A part that fails is logged, and does not keep the others from their work. */
export async function maintain(services: Services): Promise<void> {
  for (const [part, work] of Object.entries(parts)) {
    try {
      await work(services);
    } catch (error) {
      services.log.warn({ part, ...describeFailure(error) }, 'maintenance failed; it is tried again');
    }
  }
}

/** Run the maintenance now and then every 30 s, until `stop`. */
export function startMaintenance(services: Services, intervalMs = 30_000): { stop(): Promise<void> } {
  let running: Promise<void> | undefined;
  const tick = () => {
    running ??= maintain(services).finally(() => {
      running = undefined;
    });
  };
  tick();
  const timer = setInterval(tick, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
