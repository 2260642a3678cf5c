import {
  encodeBase64,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  TlogError,
  type TreeHead,
  verifierKey,
  verifyNote,
} from '@annals/tlog';
import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { SignedHead } from './signer-state.ts';
import { SigningRefused } from './signing-refused.ts';

export interface CheckpointRow extends TreeHead {
  readonly note: string;
  readonly verifierKeys: readonly string[];
}

export interface OfEpoch {
  readonly epoch: number;
  /** Only of so many entries, or fewer. */
  readonly sizeMax?: number;
}

/** The largest checkpoint of the tenant's log in an epoch as it is stored. */
export async function lastCheckpoint(
  tx: Tx,
  { epoch, sizeMax = Number.MAX_SAFE_INTEGER }: OfEpoch,
): Promise<CheckpointRow | undefined> {
  const [row] = await tx.query(sql<{ size: string; root: Buffer; note: string; verifierKeys: string[] }>`
    select size::text as size, root, note, verifier_keys as "verifierKeys" from annals.checkpoint
    where tenant_id = ${tx.tenantId} and epoch = ${epoch} and size <= ${sizeMax}
    order by checkpoint.size desc limit 1`);
  return row && { ...row, size: Number(row.size) };
}

/**
 * What a stored checkpoint shows to be signed, with those of these public keys that signed it.
 *
 * Errors  `SigningRefused` for one that none of them signed, and for one of another log or tree.
 */
export function headOfCheckpoint(
  row: CheckpointRow,
  { origin, publicKeys }: { readonly origin: string; readonly publicKeys: readonly Uint8Array[] },
): SignedHead {
  const keys = publicKeys.map((publicKey) => verifierKey({ name: origin, type: 'ed25519', publicKey }));
  try {
    const note = parseNote(row.note);
    const { size, root, ...checkpoint } = parseCheckpoint(note.text);
    const signed = verifyNote(note, keys);
    if (checkpoint.origin === origin && size === row.size && Buffer.compare(root, row.root) === 0) {
      return { size, root, keys: signed.map(({ key }) => encodeBase64(key.publicKey)) };
    }
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new SigningRefused(
      `the checkpoint of ${row.size} entries was signed by no key of this signer: its directory is another deployment's, or the row was changed`,
      { cause: error },
    );
  }
  throw new SigningRefused(`the row of the checkpoint of ${row.size} entries was changed`);
}

/** The public keys among the vkeys that a checkpoint names; what cannot be read is none. */
export function publicKeysOf(vkeys: readonly string[]): Uint8Array[] {
  return vkeys.flatMap((vkey) => {
    try {
      return [parseVerifierKey(vkey).publicKey];
    } catch {
      return [];
    }
  });
}
