import { decodeBase64, formatVerifierKey, verifierKey } from '@annals/tlog';
import { sql } from 'kysely';
import { recordActivity } from '../activity/record-activity.ts';
import type { Principal, Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import type { Log } from '../log/newest-log.ts';

/** In whose name the signer appends. */
const signerPrincipal: Principal = { keyId: 'signer', keyName: 'signer', tenantId: '*', scopes: [] };

const rotatedAction = 'annals.log_key_rotated';

export interface Introducing {
  /** Of the tenant's epochs up to that of the log: a rotation may have been meant for an earlier one. */
  readonly origins: readonly string[];
  readonly log: Log;
  /** Public keys as base64: those that may sign the log, and those that want to. */
  readonly known: readonly string[];
  readonly active: readonly string[];
}

/**
 * The keys that may sign the log at its size: those that could before, and of the others those whose rotation
 * stands in it by now. For the rest a record is appended, unless it waits already for its place in the log. Its
 * partition must exist.
 */
export async function introduceKeys(
  tx: Tx,
  services: Pick<Services, 'clock'>,
  { origins, log, known, active }: Introducing,
): Promise<string[]> {
  const origin = origins.at(-1) as string;
  const keys = [...known];
  for (const key of active) {
    if (keys.includes(key)) continue;
    const rotation = await findRotation(tx, origins, key);
    if (!rotation) {
      const oldKey = vkeyOf(origin, known.at(-1) ?? key);
      await appendRotation(tx, services, { origin, oldKey, newKey: vkeyOf(origin, key) });
    } else if (standsIn(log, rotation)) keys.push(key);
  }
  return keys;
}

/**
 * At the first sight of a log every key may sign it, but for those whose rotation waits for its place in it: a new
 * epoch takes in what the one before it had not signed.
 */
export async function firstKeys(
  tx: Tx,
  { origins, log, active }: Omit<Introducing, 'known'>,
): Promise<string[]> {
  const keys: string[] = [];
  for (const key of active) {
    const rotation = await findRotation(tx, origins, key);
    if (!rotation || standsIn(log, rotation)) keys.push(key);
  }
  return keys;
}

interface Rotation {
  readonly epoch: number | null;
  readonly firstIndex: number | null;
}

function standsIn(log: Log, { epoch, firstIndex }: Rotation): boolean {
  if (epoch === null || firstIndex === null) return false;
  return epoch < log.epoch || (epoch === log.epoch && firstIndex < log.size);
}

/** The one that stands first; one that waits for its place only where there is no other. */
async function findRotation(tx: Tx, origins: readonly string[], key: string): Promise<Rotation | undefined> {
  const newKeys = origins.map((origin) => vkeyOf(origin, key));
  const [rotation] = await tx.query(sql<Rotation>`
    select b.epoch, b.first_index::float8 as "firstIndex"
    from annals.activity a join annals.batch b on b.tenant_id = a.tenant_id and b.id = a.batch_id
    where a.tenant_id = ${tx.tenantId} and a.action = ${rotatedAction} and a.own
      and a.metadata->>'newKey' = any(${newKeys}::text[])
    order by b.epoch, b.first_index limit 1`);
  return rotation;
}

async function appendRotation(
  tx: Tx,
  services: Pick<Services, 'clock'>,
  { origin, ...metadata }: { readonly origin: string; readonly oldKey: string; readonly newKey: string },
): Promise<void> {
  await recordActivity(
    tx,
    { clock: services.clock, principal: signerPrincipal, requestId: 'signer' },
    {
      action: rotatedAction,
      actor: { type: 'system', id: 'signer' },
      target: { type: 'log', id: origin },
      metadata,
    },
  );
}

function vkeyOf(origin: string, publicKey: string): string {
  return formatVerifierKey(
    verifierKey({ name: origin, type: 'ed25519', publicKey: decodeBase64(publicKey) }),
  );
}
