import {
  encodeBase64,
  formatCheckpoint,
  formatNote,
  formatVerifierKey,
  type TreeHead,
  verifierKey,
} from '@annals/tlog';
import { sql } from 'kysely';
import { ensureRecordPartition } from '../activity/record-activity.ts';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { type Log, newestLog } from '../log/newest-log.ts';
import { checkEdge, checkGrowth } from './check-growth.ts';
import { introduceKeys } from './introduce-keys.ts';
import { headOfCheckpoint, lastCheckpoint } from './last-checkpoint.ts';
import type { NoteSigner, SignerKeys } from './note-signer.ts';
import { logOrigin } from './origin.ts';
import type { SignedHead, SignerState } from './signer-state.ts';
import { SigningRefused } from './signing-refused.ts';

/** What a signature needs: keys as they are now, and the memory of what they signed. */
export interface Signing {
  readonly services: Pick<Services, 'db' | 'clock' | 'log'>;
  readonly keys: SignerKeys;
  readonly state: SignerState;
}

/** A checkpoint that has just been signed. */
export interface SignedCheckpoint extends TreeHead {
  readonly tenantId: string;
  readonly epoch: number;
  readonly origin: string;
  readonly note: string;
}

/**
 * Sign the newest state of a tenant's log, if it has grown and extends what was signed before.
 *
 * The signature leaves by the commit of the transaction that holds the log's lock since before the state was read,
 * and after the state is on disk: so two signers on one database never sign two histories, whatever happens to
 * their connections, and a process killed at any point goes on where it was.
 *
 * Returns undefined where there is nothing to sign, and where another signer is at it.
 * Errors  `SigningRefused` for a log that does not extend what was signed; `invalid_input` for a damaged state.
 */
export async function signLog(signing: Signing, tenantId: string): Promise<SignedCheckpoint | undefined> {
  // For the record of a rotation, which may be needed.
  await ensureRecordPartition(signing.services);
  return signing.services.db.transaction(
    tenantId,
    async (tx) => ((await lockSigning(tx)) ? signNewest(tx, signing) : undefined),
    { role: 'custodian' },
  );
}

async function lockSigning(tx: Tx): Promise<boolean> {
  const [row] = await tx.query(sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('annals.sign'), hashtext(${tx.tenantId})) as locked`);
  return row?.locked === true;
}

async function signNewest(tx: Tx, signing: Signing): Promise<SignedCheckpoint | undefined> {
  const log = await newestLog(tx);
  const epoch = log?.epoch ?? 1;
  const origin = originOf(tx, signing, epoch);
  const stored = await signing.state.read(origin);
  await refuseClosedEpoch(tx, signing, epoch);
  if (!log || log.size === 0) {
    if (stored) throw new SigningRefused(`${stored.size} entries were signed, but the database holds none`);
    return undefined;
  }
  checkEdge(log);
  const { signed, published } = await checkSigned(tx, signing, { origin, log, stored });
  const keys = await keysFor(tx, signing, { origin, log, signed });
  if (published === log.size) return undefined;
  const signers = signing.keys.active.filter(({ publicKey }) => keys.includes(encodeBase64(publicKey)));
  // No key may sign before its rotation stands in the log, which takes a moment.
  if (signers.length === 0) return undefined;
  await signing.state.write(origin, { size: log.size, root: log.root, keys }, stored);
  const note = await publish(tx, signing, { origin, log, signers });
  const { size, root } = log;
  return { tenantId: tx.tenantId, epoch, origin, size, root, note };
}

function originOf(tx: Tx, { keys }: Signing, epoch: number): string {
  return logOrigin({ logName: keys.logName, tenantId: tx.tenantId, epoch });
}

/** A database restored to before an epoch was opened would go on with the one that it closed. */
async function refuseClosedEpoch(tx: Tx, signing: Signing, epoch: number): Promise<void> {
  if (!(await signing.state.read(originOf(tx, signing, epoch + 1)))) return;
  throw new SigningRefused(
    `epoch ${epoch} was closed and epoch ${epoch + 1} signed, which the database no longer holds: it was restored to an earlier state`,
  );
}

interface Checking {
  readonly origin: string;
  readonly log: Log;
  readonly stored: SignedHead | undefined;
}

interface Checked {
  /** What was signed last: what is remembered, or a checkpoint that is newer. */
  readonly signed: SignedHead | undefined;
  /** The size of the newest checkpoint in the database, 0 before the first. */
  readonly published: number;
}

/** The log must extend what the state remembers and what the newest checkpoint shows: one may be newer. */
async function checkSigned(tx: Tx, signing: Signing, checking: Checking): Promise<Checked> {
  const { origin, log, stored } = checking;
  const { active, retired } = signing.keys;
  const row = await lastCheckpoint(tx, log);
  const publicKeys = [...active.map(({ publicKey }) => publicKey), ...retired];
  const shown = row && headOfCheckpoint(row, { origin, publicKeys });
  if (stored) await checkGrowth(tx, log, stored);
  const published = shown?.size ?? 0;
  if (!shown || (stored && stored.size > shown.size)) return { signed: stored, published };
  await checkGrowth(tx, log, shown);
  if (stored?.size === shown.size) return { signed: stored, published };
  signing.services.log.warn(
    { origin, size: shown.size, remembered: stored?.size },
    'the signer does not remember its newest checkpoint and goes on from it; was its directory restored or lost?',
  );
  return { signed: { ...shown, keys: stored?.keys ?? shown.keys }, published };
}

interface Keyed {
  readonly origin: string;
  readonly log: Log;
  readonly signed: SignedHead | undefined;
}

/** At the first sight of a log every key may sign it; later ones are introduced. */
async function keysFor(tx: Tx, { services, keys }: Signing, keyed: Keyed): Promise<string[]> {
  const { origin, log, signed } = keyed;
  const active = keys.active.map(({ publicKey }) => encodeBase64(publicKey));
  if (!signed) return active;
  return introduceKeys(tx, services, { origin, log, known: signed.keys, active });
}

interface Publishing {
  readonly origin: string;
  readonly log: Log;
  readonly signers: readonly NoteSigner[];
}

async function publish(tx: Tx, { services }: Signing, publishing: Publishing): Promise<string> {
  const { origin, log, signers } = publishing;
  const text = formatCheckpoint({ origin, size: log.size, root: log.root, extensions: [] });
  const keys = signers.map(({ publicKey }) => verifierKey({ name: origin, type: 'ed25519', publicKey }));
  const signatures = await Promise.all(signers.map((signer) => signer.sign(text)));
  const note = formatNote({
    text,
    signatures: keys.map(({ name, keyId }, at) => ({ name, keyId, signature: signatures[at] as Uint8Array })),
  });
  await tx.query(sql`
    insert into annals.checkpoint (tenant_id, epoch, size, root, note, verifier_keys, signed_at)
    values (${tx.tenantId}, ${log.epoch}, ${log.size}, ${Buffer.from(log.root)}, ${note},
      ${keys.map(formatVerifierKey)}::text[], ${services.clock.now().toISOString()})`);
  tx.notify('annals_checkpoint');
  return note;
}
