import {
  type DirectorySignerOptions,
  listRefusedLogs,
  type OpenEpoch,
  type OpenedEpoch,
  type OpenServicesOptions,
  openEpochIn,
  openServices,
  type Principal,
  type RefusedLog,
  type Services,
  type Signer,
  startDirectorySigner,
  startRollups,
  startSequencer,
  startWorker,
  type Worker,
} from '@annals/core';
import { type AnnalsHandlerOptions, createAnnalsHandler } from './annals-handler.ts';
import { operatorPrincipal } from './operator-principal.ts';

export interface OpenedAnnals {
  readonly services: Services;
  /** Serve the router, and the logs of tenants; see `createAnnalsHandler`. */
  handler(options?: Omit<AnnalsHandlerOptions, 'services'>): (request: Request) => Promise<Response>;
  /**
   * A `fetch` for `createAnnals` that leads to the router without a network. Every call is made by
   * `principal`, the operator unless told otherwise; the URL's host can be any.
   */
  localFetch(principal?: Principal): (url: string, init: RequestInit) => Promise<Response>;
  /**
   * Run jobs, maintenance, the sequencer and the rollups in this process until `close`, or until the worker is
   * stopped.
   */
  startWorker(options?: { readonly concurrency?: number }): Promise<Worker>;
  /** Sign the logs of all tenants, or stand by to, until `close` or until the signer is stopped (docs/signing.md). */
  startSigner(options: Omit<DirectorySignerOptions, 'connectionString'>): Promise<Signer>;
  /** Logs that contradict what a signer's directory says was signed. */
  refusedLogs(dir: string): Promise<RefusedLog[]>;
  /** Open a new epoch of such a log; see docs/signing.md. Errors: `invalid_input` for any other log. */
  openEpoch(options: OpenEpoch & { readonly dir: string }): Promise<OpenedEpoch>;
  /** Stop the workers and signers after the chunk in hand and end the connections. */
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
  const workers: Pick<Worker, 'stop'>[] = [];
  return {
    services,
    handler: (handlerOptions) => createAnnalsHandler({ services, ...handlerOptions }),
    localFetch: (principal = operatorPrincipal()) => {
      const handle = createAnnalsHandler({ services, authenticate: async () => principal });
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
      const rollups = startRollups(services);
      const all = {
        stop: async () => void (await Promise.all([worker.stop(), sequencer.stop(), rollups.stop()])),
      };
      workers.push(all);
      return all;
    },
    startSigner: async (signerOptions) => {
      const connectionString = 'url' in database ? database.url : database.app;
      const signer = await startDirectorySigner(services, { connectionString, ...signerOptions });
      workers.push(signer);
      return signer;
    },
    refusedLogs: (dir) => listRefusedLogs(services, dir),
    openEpoch: (epochOptions) => openEpochIn(services, epochOptions),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await opened.close();
    },
  };
}
