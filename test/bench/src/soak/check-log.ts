import { setTimeout as delay } from 'node:timers/promises';
import type { Annals } from '@annals/client';
import {
  appendLeaves,
  emptyRange,
  formatPolicy,
  hashBytes,
  parseCheckpoint,
  parseNote,
  parsePolicy,
  parseVerifierKey,
  rootOfRange,
  splitHashes,
  verifyAuditBundle,
  verifyCheckpoint,
} from '@annals/tlog';
import type { Client } from 'pg';

export interface LogEnd {
  readonly epoch: number;
  readonly size: number;
}

/** Until everything that is stored is sequenced and signed. Errors: where that takes longer than it may. */
export async function untilSigned(
  client: Client,
  { tenantId, withinMs }: { readonly tenantId: string; readonly withinMs: number },
): Promise<LogEnd> {
  const endMs = Date.now() + withinMs;
  for (;;) {
    const { rows } = await client.query<{ open: string; epoch: number; size: string; signed: string }>(
      `select (select count(*) from annals.batch where tenant_id = $1 and first_index is null) as open,
          log.epoch, log.size, coalesce((select max(size) from annals.checkpoint c
            where c.tenant_id = $1 and c.epoch = log.epoch), 0) as signed
        from annals.log where tenant_id = $1 order by epoch desc limit 1`,
      [tenantId],
    );
    const [row] = rows;
    if (row?.open === '0' && row.signed === row.size) return { epoch: row.epoch, size: Number(row.size) };
    if (Date.now() > endMs) throw new Error(`the log is not signed to its end: ${JSON.stringify(row)}`);
    await delay(200);
  }
}

export interface LogCheck {
  /** The root of all leaf hashes is the one that was signed, and each stored activity has an entry. */
  readonly valid: boolean;
  /** Single activities that were proved through the SDK, as anybody would. */
  readonly proved: number;
  /** The verdict on the whole bundle, where it was small enough to be asked for. */
  readonly bundle: string | undefined;
}

/** A bundle of more takes minutes and gigabytes; `annals verify` reads those. */
const bundleMax = 250_000;
const provedMax = 50;

export async function checkLog(
  client: Client,
  { annals, tenantId, end }: { readonly annals: Annals; readonly tenantId: string; readonly end: LogEnd },
): Promise<LogCheck> {
  const { note, policy } = await newestNote(client, tenantId, end);
  const signed = parseCheckpoint(
    verifyCheckpoint(parseNote(note), parsePolicy(policy)) && parseNote(note).text,
  );
  const root = await rootOfTiles(client, tenantId, end);
  const { rows } = await client.query<{ stored: string }>(
    'select count(*) as stored from annals.activity where tenant_id = $1',
    [tenantId],
  );
  const whole = Number(rows[0]?.stored) === end.size && signed.size === end.size;
  const sample = await client.query<{ id: string }>(
    `select id from annals.activity where tenant_id = $1 and not own and random() < $2 limit ${provedMax}`,
    [tenantId, Math.min(1, (provedMax * 2) / end.size)],
  );
  for (const { id } of sample.rows) await annals.verify(id, { policy });
  return {
    valid: whole && Buffer.compare(root, signed.root) === 0,
    proved: sample.rows.length,
    bundle: end.size > bundleMax ? undefined : await verdictOn(annals, policy),
  };
}

async function newestNote(client: Client, tenantId: string, { epoch, size }: LogEnd) {
  const { rows } = await client.query<{ note: string; verifier_keys: string[] }>(
    'select note, verifier_keys from annals.checkpoint where tenant_id = $1 and epoch = $2 and size = $3',
    [tenantId, epoch, size],
  );
  const { note, verifier_keys: keys } = rows[0] ?? { note: '', verifier_keys: [] };
  const logs = keys.map((text) => ({ key: parseVerifierKey(text) }));
  return { note, policy: formatPolicy({ logs, witnesses: [], quorum: { kind: 'none' } }) };
}

/** From the leaf hashes as they stand in the tiles, and behind the last full one in the log's edge. */
async function rootOfTiles(client: Client, tenantId: string, { epoch, size }: LogEnd): Promise<Uint8Array> {
  let range = emptyRange();
  const tiles = Math.floor(size / 256);
  const atOnce = 1_000;
  for (let first = 0; first < tiles; first += atOnce) {
    const { rows } = await client.query<{ hashes: Buffer }>(
      `select hashes from annals.tile where tenant_id = $1 and epoch = $2 and level = 0
        and index >= $3 and index < $4 order by index`,
      [tenantId, epoch, first, first + atOnce],
    );
    for (const { hashes } of rows) range = appendLeaves(range, splitHashes(hashes));
  }
  const { rows } = await client.query<{ rest: Buffer }>(
    'select edge[1] as rest from annals.log where tenant_id = $1 and epoch = $2',
    [tenantId, epoch],
  );
  const rest = rows[0]?.rest ?? Buffer.alloc(0);
  range = appendLeaves(range, splitHashes(rest.subarray(0, (size % 256) * hashBytes)));
  return rootOfRange(range);
}

async function verdictOn(annals: Annals, policy: string): Promise<string> {
  const { verdict } = await verifyAuditBundle(annals.bundle(), { policy, now: new Date() });
  return verdict;
}
