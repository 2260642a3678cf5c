import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { formatVerifierKey, limits } from '@annals/tlog';
import { type Answer, addCheckpoint, type Witness } from './add-checkpoint.ts';

/** How long a request may take to come in, headers and all. */
const requestTimeoutMs = 10_000;

/**
 * The HTTP interface of a witness; the caller makes it listen.
 *
 * `POST /add-checkpoint`, `GET /<origin hash>/checkpoint` for monitors, and `GET /` tells the key.
 * Limits  131,072 bytes a request (413), 10 s to send it (408), 256 connections.
 * Source  C2SP tlog-witness.
 */
export function createWitnessServer(witness: Witness): Server {
  const timeouts = { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs };
  const server = createServer(
    { ...timeouts, keepAliveTimeout: 60_000, connectionsCheckingInterval: 1_000 },
    (request, response) => void handle(request, { response, witness }),
  );
  server.maxConnections = 256;
  return server;
}

interface Handling {
  readonly response: ServerResponse;
  readonly witness: Witness;
}

async function handle(request: IncomingMessage, { response, witness }: Handling): Promise<void> {
  // A client that went away is nobody's failure, and must not end the process.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  try {
    send(response, await route(request, witness));
  } catch (error) {
    if (request.destroyed && !request.complete) return;
    witness.tell({ event: 'failed', error });
    send(response, { status: 500, body: 'the witness failed\n' });
  }
}

async function route(request: IncomingMessage, witness: Witness): Promise<Answer> {
  const [path = '/'] = (request.url ?? '/').split('?');
  const reading = request.method === 'GET' || request.method === 'HEAD';
  if (path === '/add-checkpoint') {
    if (request.method !== 'POST') return notAllowed;
    const body = await readBody(request);
    return body ? addCheckpoint(body, witness) : tooLarge;
  }
  const [, logId] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path) ?? [];
  if (logId === undefined && path !== '/') return { status: 404, body: 'there is nothing here\n' };
  if (!reading) return notAllowed;
  if (logId === undefined) return { status: 200, body: `${formatVerifierKey(witness.key)}\n` };
  const { note } = await witness.store.read(logId);
  if (note === undefined) return { status: 404, body: 'this witness has cosigned nothing of that log\n' };
  return { status: 200, body: note };
}

const notAllowed: Answer = { status: 405, body: 'not with this method\n' };
const tooLarge: Answer = {
  status: 413,
  body: `a request has at most ${limits.witnessRequestBytesMax} bytes\n`,
};

/** Nothing where it is too long: then the rest is not read. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Stopping early must leave the connection, on which the refusal goes out.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > limits.witnessRequestBytesMax) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, {
    'content-type': status === 409 ? 'text/x.tlog.size' : 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 && { allow: 'GET, HEAD, POST' }),
    // What comes after an unread body is no request.
    ...((status === 413 || status === 405) && { connection: 'close' }),
  });
  response.end(body);
}
