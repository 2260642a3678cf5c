import { signAll } from '@annals/core/testing';
import { encodeOpenings, eraseSlots, type LoggedRecord } from '@annals/tlog';
import { expect } from 'vitest';
import { manyActivities } from './activities.ts';
import { type AuditOptions, audit, invalidCodes } from './audit.ts';
import { tenantId } from './catalogue.ts';
import type { History } from './history.ts';
import { type BundledLine, idOf, ownSigner, readBundle, rewriteLog, victim } from './rewrite.ts';
import { appendAll } from './services.ts';

/** What somebody does, and what comes of it. The history is brought back after it. */
export type Scenario = (history: History) => Promise<void>;

export const codesOf = async (history: History, options: AuditOptions = {}) =>
  invalidCodes(await audit(history, options));
export const sign = ({ core, dir }: History) => signAll(core, { tenantId, dir });
export const nobodyHolds: AuditOptions = { held: [] };

/** Change the record that threats are about. */
export async function change({ admin }: History, set: string, row = victim): Promise<void> {
  const { rowCount } = await admin.query(
    `update annals.activity as t set ${set} from (${row}) as one where t.id = one.id`,
  );
  expect(rowCount).toBe(1);
}

export async function lineOf(history: History, id: string): Promise<BundledLine & { seed: Uint8Array }> {
  const line = (await readBundle(history)).records.find(({ record }) => record.id === id);
  if (!line?.seed) throw new Error('the bundle does not have the record whole');
  return { ...line, seed: line.seed };
}

/** Something is signed that an auditor holds, and then the database is as it was before. */
export async function loseSigned(history: History): Promise<string> {
  await appendAll(history.ctx, manyActivities(900, 5));
  const note = await sign(history);
  await history.restore();
  await expect(sign(history)).rejects.toThrow(/were signed, but the database holds/);
  return note ?? '';
}

/** Records, tiles and signatures are made anew, with the signer's own key. */
export async function forgeHistory(history: History): Promise<void> {
  await change(history, `message = 'forged'`);
  await rewriteLog(history);
  await expect(sign(history)).rejects.toThrow('another log');
  await ownSigner(history);
  await sign(history);
}

/** Erase something of a record without Annals, as it would be done. */
export async function eraseSecretly(
  history: History,
  erase: (before: LoggedRecord) => LoggedRecord,
): Promise<{ id: string; slotCount: number; slots: Uint8Array; rest: Uint8Array }> {
  const id = await idOf(history, victim);
  const { record: before, seed } = await lineOf(history, id);
  const after = erase(before);
  const erased = eraseSlots({ before, after, opening: { seed }, restSalt: new Uint8Array(16).fill(7) });
  await history.admin.query(
    `update annals.activity set message = $2, metadata = $3, erased = $4, seed = null, openings = $5 where id = $1`,
    [id, after.message, after.metadata, after.erased, Buffer.from(encodeOpenings(erased.openings))],
  );
  return { id, slotCount: erased.openings.slots.length, ...erased };
}
