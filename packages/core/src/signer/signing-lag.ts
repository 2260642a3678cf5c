import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { SignerStatus } from './start-signer.ts';

/** Milliseconds since the log that has waited longest for a signature grew; 0 when all are signed. */
export async function signingLag({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<number> {
  const [oldest] = await db.query(
    sql<{ atMs: number }>`
      select (extract(epoch from sequenced_at) * 1000)::float8 as "atMs" from annals.find_unsigned(1)`,
  );
  return oldest ? Math.max(0, clock.now().getTime() - oldest.atMs) : 0;
}

/** What somebody should look at: one sentence each. Which tenants it is about stands in the log of the process. */
export function signerWarnings({ problem, refusals }: SignerStatus): string[] {
  return [
    ...(problem === undefined ? [] : [`this process cannot sign: ${problem}`]),
    ...(refusals.length === 0
      ? []
      : [
          `${refusals.length} logs contradict what was signed and are not signed any more; see the log of this process and docs/signing.md`,
        ]),
  ];
}
