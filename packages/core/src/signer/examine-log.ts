import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { type Log, newestLog } from '../log/newest-log.ts';
import { checkEdge, checkGrowth } from './check-growth.ts';
import { headOfCheckpoint, lastCheckpoint } from './last-checkpoint.ts';
import { publicKeysIn, type SignerKeys } from './note-signer.ts';
import { logOrigin } from './origin.ts';
import type { SignedHead, SignerState } from './signer-state.ts';
import { SigningRefused } from './signing-refused.ts';

/** What a signature needs: keys as they are now, and the memory of what they signed. */
export interface Signing {
  readonly services: Pick<Services, 'db' | 'clock' | 'log'>;
  readonly keys: SignerKeys;
  readonly state: SignerState;
}

/** A log that extends all that was ever signed of it, and may be signed. */
export interface ExaminedLog {
  readonly origin: string;
  readonly log: Log;
  /** What the state remembers. */
  readonly stored: SignedHead | undefined;
  /** What was signed last: what is remembered, or a checkpoint that is newer. */
  readonly signed: SignedHead | undefined;
  /** The size of the newest checkpoint in the database, 0 before the first. */
  readonly published: number;
}

/**
 * Compare the newest log of the transaction's tenant with what was signed of it.
 *
 * Returns undefined while there is nothing to sign.
 * Errors  `SigningRefused` for a log that does not extend what was signed; `invalid_input` for a damaged state.
 */
export async function examineLog(tx: Tx, signing: Signing): Promise<ExaminedLog | undefined> {
  const log = await newestLog(tx);
  const epoch = log?.epoch ?? 1;
  const origin = originOf(tx, signing, epoch);
  const stored = await signing.state.read(origin);
  await refuseClosedEpoch(tx, signing, epoch);
  if (!log || log.size === 0) {
    if (!stored) return undefined;
    throw new SigningRefused(`${stored.size} entries were signed, but the database holds none`);
  }
  checkEdge(log);
  if (stored) await checkGrowth(tx, log, stored);
  const shown = await shownHead(tx, signing, { origin, epoch });
  if (!shown) {
    refuseUnopenedEpoch(epoch, stored);
    return { origin, log, stored, signed: stored, published: 0 };
  }
  if (!stored || !isSame(stored, shown)) await checkGrowth(tx, log, shown);
  const newer = stored === undefined || stored.size < shown.size;
  const signed = newer ? { ...shown, keys: stored?.keys ?? shown.keys } : stored;
  return { origin, log, stored, signed, published: shown.size };
}

function isSame(one: SignedHead, other: SignedHead): boolean {
  return one.size === other.size && Buffer.compare(one.root, other.root) === 0;
}

export function originOf({ tenantId }: Pick<Tx, 'tenantId'>, { keys }: Signing, epoch: number): string {
  return logOrigin({ logName: keys.logName, tenantId, epoch });
}

/** The names of the tenant's logs from the first epoch to this one. */
export function originsUpTo(tx: Pick<Tx, 'tenantId'>, signing: Signing, epoch: number): string[] {
  return Array.from({ length: epoch }, (_, at) => originOf(tx, signing, at + 1));
}

/** A database restored to before an epoch was opened would go on with the one that it closed. */
async function refuseClosedEpoch(tx: Tx, signing: Signing, epoch: number): Promise<void> {
  if (!(await signing.state.read(originOf(tx, signing, epoch + 1)))) return;
  throw new SigningRefused(
    `epoch ${epoch} was closed and epoch ${epoch + 1} signed, which the database no longer holds: it was restored to an earlier state`,
  );
}

/** A log in an epoch of its own would extend nothing that was signed: opening one needs the signer's directory. */
function refuseUnopenedEpoch(epoch: number, stored: SignedHead | undefined): void {
  if (epoch === 1 || stored) return;
  throw new SigningRefused(
    `epoch ${epoch} was not opened by \`annals log-key new-epoch\`, or the signer's directory has lost what says so`,
  );
}

/** What the newest checkpoint in the database shows to be signed. */
async function shownHead(
  tx: Tx,
  { keys }: Signing,
  { origin, epoch }: { readonly origin: string; readonly epoch: number },
): Promise<SignedHead | undefined> {
  const row = await lastCheckpoint(tx, { epoch });
  return row && headOfCheckpoint(row, { origin, publicKeys: publicKeysIn(keys) });
}
