import { userInfo } from 'node:os';
import { type Annals, createAnnals } from '@annals/client';
import type { OpenedAnnals, openAnnals } from '@annals/server';
import type { DatabaseLogins, Target } from './cli/settings.ts';

/** The way to the records: the only place that knows whether a server lies between. */
export interface Transport {
  readonly client: Annals;
  /** Without a server, jobs run in this process, from `startJobs` until `close`. */
  readonly jobsRunHere: boolean;
  startJobs(): Promise<void>;
  /** Waits for the chunk in hand of a job that runs here. May be called twice. */
  close(): Promise<void>;
}

/** Errors: `unavailable` when the database cannot be reached. A server is not asked before it is needed. */
export async function openTransport(target: Target): Promise<Transport> {
  const { tenantId } = target;
  const tenant = tenantId !== undefined && { tenantId };
  if (target.via === 'database') return openDatabase(target.database, tenant);
  const { url, apiKey } = target;
  return {
    client: createAnnals({ url, apiKey, ...tenant }),
    jobsRunHere: false,
    startJobs: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** The router in this process, called by the operator. The schema must be there: a server migrates, not we. */
async function openDatabase(
  database: DatabaseLogins,
  tenant: { tenantId: string } | false,
): Promise<Transport> {
  // Late, since a command that goes to a server needs no database code.
  const { openAnnals, operatorPrincipal } = await import('@annals/server');
  const annals = await openAnnals({ database, poolMax: 4, log: errorLog });
  const fetch = annals.localFetch(operatorPrincipal({ name: operatorName() }));
  let worker: ReturnType<OpenedAnnals['startWorker']> | undefined;
  let closed: Promise<void> | undefined;
  return {
    client: createAnnals({ url: 'http://in-process', fetch, ...tenant }),
    jobsRunHere: true,
    startJobs: async () => {
      await (worker ??= annals.startWorker({ concurrency: 1 }));
    },
    close: () => (closed ??= annals.close()),
  };
}

type Log = NonNullable<Parameters<typeof openAnnals>[0]['log']>;

// There is no server whose log could say why something failed.
export const errorLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields, message) =>
    void process.stderr.write(`${JSON.stringify({ event: 'log', level: 'error', message, ...fields })}\n`),
};

/** Who stands in the records of what is done; a container may run as a user without a name. */
export function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'operator';
  }
}
