import { appendLeaves, emptyRange, encodeBase64, hashItem, type Manifest, rootOfRange } from '@annals/tlog';
import { LockMode } from '@mikro-orm/core';
import { ensureRecordPartition, recordActivity } from '../activity/record-activity.ts';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { JobEntity } from '../job/entity.ts';
import { ManifestEntity, type ManifestKind } from './entity.ts';
import { isSealUnsigned, isSigned, listItems } from './list-items.ts';

export interface SealManifest {
  readonly tenantId: string;
  readonly id: string;
}

/**
 * `waiting`: some of what it lists, or the seal of the one before it, is not signed yet, or a run that fills it alone
 * has not ended.
 */
export type SealOutcome = 'sealed' | 'waiting';

/**
 * Fix what a manifest lists, and put its root into the log as `annals.manifest_sealed`: all in one transaction,
 * once however many try.
 */
export async function sealManifest(services: Services, { tenantId, id }: SealManifest): Promise<SealOutcome> {
  await ensureRecordPartition(services);
  return services.db.transaction(tenantId, (tx) => seal(tx, services, id), { role: 'custodian' });
}

async function seal(tx: Tx, { clock, manifestIntervalMs }: Services, id: string): Promise<SealOutcome> {
  // Whoever adds items holds the row as well, so that after this there are no more of them.
  const open = { id, sealedAt: null };
  const manifest = await tx.em.findOne(ManifestEntity, open, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!manifest) return 'sealed';
  if ((manifest.kind === 'purge' || manifestIntervalMs === 0) && (await isFilling(tx, manifest)))
    return 'waiting';
  if (!(await isSigned(tx, manifest)) || (await isSealUnsigned(tx, manifest.kind))) return 'waiting';
  const { items, root } = await computeRoot(listItems(tx, manifest), manifest.salt);
  const principal = { keyId: 'worker', keyName: 'worker', tenantId: tx.tenantId, scopes: [] };
  const caller = { clock, principal, requestId: id };
  const activityId = await recordActivity(tx, caller, {
    actor: { type: 'worker', id: 'annals' },
    action: 'annals.manifest_sealed',
    target: { type: 'manifest', id },
    metadata: { kind: manifest.kind, items, root: encodeBase64(root) },
  });
  const sealed = { items, root: Buffer.from(root), activityId, sealedAt: clock.now() };
  await tx.em.nativeUpdate(ManifestEntity, { id }, sealed);
  return 'sealed';
}

/** Such a manifest is one run's: sealed while it lasts, it would become very many. */
async function isFilling(tx: Tx, { kind }: { readonly kind: ManifestKind }): Promise<boolean> {
  const kinds = kind === 'purge' ? (['retention'] as const) : (['anonymize', 'redact'] as const);
  return (
    (await tx.em.count(JobEntity, { kind: { $in: [...kinds] }, status: { $in: ['queued', 'running'] } })) > 0
  );
}

/** Of any number of items: only a page of them is in memory at once. */
async function computeRoot(pages: AsyncIterable<Manifest['items']>, salt: Uint8Array) {
  let range = emptyRange();
  for await (const page of pages) {
    range = appendLeaves(
      range,
      page.map((item) => hashItem(salt, item)),
    );
  }
  return { items: range.end, root: rootOfRange(range) };
}
