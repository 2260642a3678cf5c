import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importPath } from '@annals/server';
import { type HttpBindings, serve } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Metrics } from './metrics.ts';
import { StartError } from './postgres/start-error.ts';

/** What answers once the process is ready; before, everything but `/healthz` says so with 503. */
export interface Ready {
  readonly handler: (request: Request) => Promise<Response>;
  readonly metrics: Metrics;
  /** Whether the database answers. */
  readonly isReady: () => Promise<boolean>;
  /** What somebody should look at although requests are answered. */
  readonly warnings: () => Promise<readonly string[]>;
}

export interface HttpServer {
  readonly port: number;
  /** From now on requests are served. */
  open(ready: Ready): void;
  /** Stop accepting, end event streams, let the calls in hand end for at most `graceMs`, then drop what is left. */
  close(graceMs: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** How long the body of a request may take to come, unless it is an import. */
  readonly bodyMsMax?: number;
}

/**
 * Listen before anything slow happens, so that a taken port is told at once.
 *
 * Errors: StartError naming the port that is taken or not permitted.
 */
export async function listen({ host, port, bodyMsMax = 300_000 }: ListenOptions): Promise<HttpServer> {
  let ready: Ready | undefined;
  const app = new Hono<Env>();
  const streams: Streams = new Set();
  app.get('/healthz', (c) => c.text('ok'));
  app.get('/readyz', async (c) => {
    if (!ready || !(await ready.isReady())) return c.text('not ready', 503);
    const warnings = await ready.warnings().catch(() => undefined);
    if (!warnings) return c.text('not ready', 503);
    return c.text(['ready', ...warnings.map((warning) => `warning: ${warning}`)].join('\n'));
  });
  app.get('/metrics', async (c) => {
    if (!ready) return c.text('starting', 503);
    const { contentType, body } = await ready.metrics.render();
    return c.body(body, 200, { 'content-type': contentType });
  });
  // What is called most, and is never a stream: to look at the headers of its answer would cost more than routing it.
  app.post('/trpc/activity.log', (c) => ready?.handler(c.req.raw) ?? starting(c));
  app.all('/trpc/*', async (c) => {
    if (!ready) return starting(c);
    const response = await ready.handler(c.req.raw);
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) keep(streams, c.env.outgoing);
    return response;
  });
  app.on('ALL', ['/tlog/*', '/api/v1/*'], async (c) => {
    if (!ready) return starting(c);
    return ready.handler(c.req.raw);
  });
  app.get('/', (c) => c.text('Annals. The API is at /trpc; see docs/api.md.\n'));
  const server = await bind(app, { host, port });
  boundBodies(server, bodyMsMax);
  return {
    port: (server.address() as AddressInfo).port,
    open: (next) => {
      ready = next;
    },
    close: (graceMs) => {
      const closed = closeServer(server, graceMs);
      // They end with what they watch, which may be hours; who reads them comes back to another process.
      for (const stream of streams) stream.destroy();
      return closed;
    },
  };
}

function starting(c: Context<Env>): Response {
  return c.text('starting', 503, { 'retry-after': '1' });
}

type Env = { Bindings: HttpBindings };
type Streams = Set<HttpBindings['outgoing']>;

function keep(streams: Streams, stream: HttpBindings['outgoing']): void {
  streams.add(stream);
  stream.once('close', () => streams.delete(stream));
}

function bind(app: Hono<Env>, { host, port }: { host: string; port: number }): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, () => resolve(server)) as Server;
    server.once('error', (error: NodeJS.ErrnoException) => reject(describe(error, { host, port })));
  });
}

/** Node itself has one bound for all requests, and an import takes as long as it has lines. */
function boundBodies(server: Server, bodyMsMax: number): void {
  server.requestTimeout = 0;
  server.on('request', (request) => {
    if (request.method === 'GET' || request.url?.startsWith(importPath)) return;
    const timer = setTimeout(() => {
      if (!request.complete) request.socket.destroy();
    }, bodyMsMax);
    request.once('close', () => clearTimeout(timer));
  });
}

function describe(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(`Port ${port} of ${host} is taken; stop what uses it or set ANNALS_PORT.`);
    case 'EACCES':
      return new StartError(`Port ${port} needs more rights; set ANNALS_PORT to 1024 or above.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`${host} is not an address of this machine; set ANNALS_HOST.`);
    default:
      return error;
  }
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const drop = setTimeout(() => server.closeAllConnections(), graceMs);
    // Those whose last call is answered from now on would be kept alive for another one.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(drop);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
