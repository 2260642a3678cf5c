import type { Connection, Submittable } from 'pg';

/** What a connection of the driver can do besides; its types leave it out. */
interface CopyConnection extends Connection {
  sendCopyFromChunk(bytes: Buffer): void;
  endCopyFrom(): void;
}

/** The result as the query builder reads it from the driver. */
interface Copied {
  readonly command: 'COPY';
  readonly rows: readonly [];
}

/**
 * COPY FROM STDIN of rows that are all there, as a query that the driver can be given.
 *
 * The driver gives such a query back as it is, and who asked for it awaits that: so it can be awaited. Rows that are
 * still on their way when the database refuses one are discarded there.
 */
export function copyIn(statement: string, rows: Buffer): Submittable & PromiseLike<Copied> {
  const { promise, resolve, reject } = Promise.withResolvers<Copied>();
  return Object.assign({
    // oxlint-disable-next-line unicorn/no-thenable -- see above
    then: promise.then.bind(promise),
    submit: (connection: Connection) => connection.query(statement),
    handleCopyInResponse: (connection: CopyConnection) => {
      connection.sendCopyFromChunk(rows);
      connection.endCopyFrom();
    },
    handleCommandComplete: () => undefined,
    handleReadyForQuery: () => resolve({ command: 'COPY', rows: [] }),
    handleError: reject,
  });
}
