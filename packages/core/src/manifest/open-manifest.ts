import { randomBytes } from 'node:crypto';
import { saltBytes } from '@annals/tlog';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import type { Clock } from '../clock.ts';
import type { Tx } from '../database/database.ts';
import type { ManifestKind } from './entity.ts';

export interface OpenManifest {
  readonly kind: ManifestKind;
  readonly clock: Clock;
}

/**
 * The tenant's open manifest of that kind, made where there is none; returns its id.
 *
 * It stays open until the transaction ends, the custodian's: whoever seals waits for those who add items.
 */
export async function openManifest(tx: Tx, { kind, clock }: OpenManifest): Promise<string> {
  for (;;) {
    const [open] = await tx.query(sql<{ id: string }>`
      select id from annals.manifest
      where tenant_id = ${tx.tenantId} and kind = ${kind} and sealed_at is null for share`);
    if (open) return open.id;
    const now = clock.now();
    // Made at the same time by somebody else, or sealed again already: look once more.
    await tx.query(sql`
      insert into annals.manifest (tenant_id, id, kind, salt, opened_at)
      values (${tx.tenantId}, ${v7({ msecs: now.getTime() })}, ${kind}, ${randomBytes(saltBytes)}, ${now.toISOString()})
      on conflict (tenant_id, kind) where sealed_at is null do nothing`);
  }
}
