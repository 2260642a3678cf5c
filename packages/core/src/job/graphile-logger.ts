import { Logger as GraphileLogger } from 'graphile-worker';
import type { Logger } from '../logger.ts';

const methods = { error: 'error', warning: 'warn', info: 'debug', debug: 'debug' } as const;

/**
 * What the job queue says, in our log. Only its text: its fields hold whole rows and errors. Each task done is
 * news to it, not to an operator, so its `info` is our `debug`.
 */
export function createGraphileLogger(log: Logger): GraphileLogger {
  return new GraphileLogger(() => (level, message) => {
    log[methods[level]]({ component: 'queue' }, message);
  });
}
