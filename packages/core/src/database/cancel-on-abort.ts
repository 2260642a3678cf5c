import type { Kysely } from 'kysely';

/**
 * Run the work of a transaction; when the signal comes, end the statement in hand in the database.
 *
 * Over a connection of its own, with the rights of the pool's login: the pool's connections may all be busy with
 * statements of that kind. The transaction's connection is kept until that is over, so that nobody else's
 * statement is met.
 */
export async function cancelOnAbort<T>(
  transaction: Pick<Kysely<unknown>, 'getExecutor'>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const connection = await transaction.getExecutor().provideConnection(async (own) => own);
  await connection.collectSessionInfo?.();
  let cancelled: Promise<void> | undefined;
  const cancel = () => {
    // Fails where the statement has just ended by itself, or the database is gone: both end the work too.
    cancelled = connection.cancelQuery?.(async () => undefined).catch(() => undefined);
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', cancel);
    await cancelled;
  }
}
