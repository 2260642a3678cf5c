import {
  type OpenServicesOptions,
  openServices,
  type Principal,
  type Services,
  startSequencer,
  startWorker,
  type Worker,
} from '@annals/core';
import { createFetchHandler, type FetchHandlerOptions } from './fetch-handler.ts';
import { operatorPrincipal } from './operator-principal.ts';

export interface OpenedAnnals {
  readonly services: Services;
  /** Serve the router; see `createFetchHandler`. */
  handler(options?: Omit<FetchHandlerOptions, 'services'>): (request: Request) => Promise<Response>;
  /**
   * A `fetch` for `createAnnals` that leads to the router without a network. Every call is made by
   * `principal`, the operator unless told otherwise; the URL's host can be any.
   */
  localFetch(principal?: Principal): (url: string, init: RequestInit) => Promise<Response>;
  /** Run jobs, maintenance and the sequencer in this process until `close`, or until the worker is stopped. */
  startWorker(options?: { readonly concurrency?: number }): Promise<Worker>;
  /** Stop the workers after the chunk in hand and end the connections. */
  close(): Promise<void>;
}

/**
 * Annals in this process, on a database: what a server, or a command without one, is made of.
 *
 * Errors  `invalid_input` for a PostgreSQL before 15; `unavailable` when the database cannot be reached.
 */
export async function openAnnals(options: OpenServicesOptions): Promise<OpenedAnnals> {
  const opened = await openServices(options);
  const { services } = opened;
  const { database } = options;
  const workers: Worker[] = [];
  return {
    services,
    handler: (handlerOptions) => createFetchHandler({ services, ...handlerOptions }),
    localFetch: (principal = operatorPrincipal()) => {
      const handle = createFetchHandler({ services, authenticate: async () => principal });
      return (url, init) => handle(new Request(url, init));
    },
    startWorker: async (workerOptions) => {
      const worker = await startWorker(services, {
        ...('url' in database
          ? { connectionString: database.url, setRole: true }
          : { connectionString: database.app, setRole: false }),
        ...workerOptions,
      });
      const sequencer = startSequencer(services);
      const both = { stop: async () => void (await Promise.all([worker.stop(), sequencer.stop()])) };
      workers.push(both);
      return both;
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await opened.close();
    },
  };
}
