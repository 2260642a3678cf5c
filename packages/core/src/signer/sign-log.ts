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
import type { Tx } from '../database/database.ts';
import type { Log } from '../log/newest-log.ts';
import { type ExaminedLog, examineLog, originsUpTo, type Signing } from './examine-log.ts';
import { firstKeys, introduceKeys } from './introduce-keys.ts';
import type { NoteSigner } from './note-signer.ts';
import type { SignedHead } from './signer-state.ts';

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
    // As of the sequencer.
    { role: 'custodian', prepared: true, indexOrder: true },
  );
}

async function lockSigning(tx: Tx): Promise<boolean> {
  const [row] = await tx.query(sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtext('annals.sign'), hashtext(${tx.tenantId})) as locked`);
  return row?.locked === true;
}

async function signNewest(tx: Tx, signing: Signing): Promise<SignedCheckpoint | undefined> {
  const examined = await examineLog(tx, signing);
  if (!examined) return undefined;
  const { origin, log, stored, signed, published } = examined;
  tellSurprises(signing, examined);
  const keys = await keysFor(tx, signing, { log, signed });
  if (published === log.size) return undefined;
  const signers = signing.keys.active.filter(({ publicKey }) => keys.includes(encodeBase64(publicKey)));
  // No key may sign before its rotation stands in the log, which takes a moment.
  if (signers.length === 0) return undefined;
  const { epoch, size, root } = log;
  await signing.state.write(origin, { size, root, keys }, stored);
  const note = await publish(tx, signing, { origin, log, signers });
  return { tenantId: tx.tenantId, epoch, origin, size, root, note };
}

/** A first signature is nothing to worry about, unless it is not the first. */
function tellSurprises({ services }: Signing, { origin, stored, signed, log }: ExaminedLog): void {
  if (!signed) {
    services.log.info({ origin, size: log.size }, 'a log is signed for the first time');
  } else if (signed !== stored) {
    services.log.warn(
      { origin, size: signed.size, remembered: stored?.size },
      'the signer does not remember its newest checkpoint and goes on from it; was its directory restored or lost?',
    );
  }
}

interface Keyed {
  readonly log: Log;
  readonly signed: SignedHead | undefined;
}

async function keysFor(tx: Tx, signing: Signing, { log, signed }: Keyed): Promise<string[]> {
  const { services, keys } = signing;
  const active = keys.active.map(({ publicKey }) => encodeBase64(publicKey));
  const origins = originsUpTo(tx, signing, log.epoch);
  if (!signed) return firstKeys(tx, { origins, log, active });
  return introduceKeys(tx, services, { origins, log, known: signed.keys, active });
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
