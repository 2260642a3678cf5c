import { type ClientBase, type Connection, escapeLiteral, type Submittable } from 'pg';

/** A statement without parameters that returns nothing; a COPY FROM STDIN has its rows with it. */
export interface WriteStep {
  readonly text: string;
  readonly rows?: Buffer;
}

/** Statements that run as one tenant, one after the other. */
export interface TenantWrite {
  readonly tenantId: string;
  readonly steps: readonly WriteStep[];
}

/** What a connection of the driver can do besides, and what it tells a query; its types leave both out. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(bytes: Buffer): void;
  endCopyFrom(): void;
}
interface Query extends Submittable {
  handleCommandComplete(): void;
  handleCopyInResponse(): void;
  handleReadyForQuery(): void;
  handleError(error: unknown): void;
}

/**
 * Run what is written for some tenants as one transaction, in one trip to the server and back: all of it, or nothing.
 *
 * Statements that travel together are a transaction, and rows may travel behind them before the server asks: when it
 * fails sooner it passes over them. See "Multiple Statements in a Simple Query" and "COPY Operations" of PostgreSQL's
 * description of its protocol. Errors are the driver's.
 */
export function writeInOneTrip(client: ClientBase, writes: readonly TenantWrite[]): Promise<void> {
  const trip = tripOf(writes.flatMap(({ tenantId, steps }) => [asTenant(tenantId), ...steps]));
  client.query(trip.query);
  return trip.done;
}

/** The query that the driver is given, and its end. */
export function tripOf(steps: readonly WriteStep[]): { readonly query: Query; readonly done: Promise<void> } {
  const text = steps.map((step) => step.text).join(';\n');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const query: Query = {
    submit: (connection) => send(connection as CopyConnection, text, steps),
    // One for each step; the end alone counts.
    handleCommandComplete: () => undefined,
    handleCopyInResponse: () => undefined,
    handleReadyForQuery: resolve,
    handleError: reject,
  };
  return { query, done: promise };
}

function send(connection: CopyConnection, text: string, steps: readonly WriteStep[]): void {
  connection.stream.cork();
  connection.query(text);
  for (const { rows } of steps) {
    if (rows === undefined) continue;
    connection.sendCopyFromChunk(rows);
    connection.endCopyFrom();
  }
  connection.stream.uncork();
}

/** Until the next tenant's turn, or the end of the transaction. */
function asTenant(tenantId: string): WriteStep {
  return { text: `set local annals.tenant_id = ${escapeLiteral(tenantId)}` };
}
