import { AnnalsError } from '@annals/contract';
import { type BundleLine, type BundleLog, formatBundleLine } from '@annals/tlog';
import { sql } from 'kysely';
import { ensureRecordPartition, recordActivity } from '../activity/record-activity.ts';
import { type Context, requireScope, type Verb } from '../context.ts';
import type { Database, Tx } from '../database/database.ts';
import { findCheckpoint } from '../log/find-checkpoint.ts';
import { blockLines } from './bundle-blocks.ts';
import { checkpointLines, logsOf, newestCheckpoints, policyLine } from './bundle-front.ts';
import { manifestLines } from './bundle-manifests.ts';

export interface ExportBundle {
  /** Takes some lines; the next are read once it resolves. It must resolve within a minute. */
  readonly write: (text: string) => Promise<void>;
  /** How long a request that was just made is waited for to be signed; 10 s unless told otherwise. */
  readonly waitMsMax?: number;
}

/** Bundles that one process writes at once: each holds a connection and a snapshot for as long as it takes. */
const atOnceMax = 2;
const atOnce = new WeakMap<Database, number>();

const stalledMsMax = 60_000;

/**
 * Write the audit bundle of the tenant's logs (docs/format.md), up to their newest signed checkpoints, out of one
 * snapshot. It is recorded as `annals.exported` first.
 *
 * Errors  `forbidden` without the scopes `export` and `personal:read`; `not_found` while nothing is signed;
 *         `unavailable` while others are being written, and where a request for an erasure or a purge stays
 *         unsigned, since what it has erased could not be accounted for; `timeout` where the writing stalls.
 */
export async function exportBundle({ ctx, input }: Verb<ExportBundle>): Promise<void> {
  requireScope(ctx.principal, ['export']);
  requireScope(ctx.principal, ['personal:read']);
  const running = atOnce.get(ctx.db) ?? 0;
  if (running >= atOnceMax) throw unavailable('other bundles are being written; try again');
  atOnce.set(ctx.db, running + 1);
  try {
    await record(ctx);
    await writeSigned(ctx, input);
  } finally {
    atOnce.set(ctx.db, (atOnce.get(ctx.db) ?? 1) - 1);
  }
}

/** Nothing is recorded of an export that is refused for want of a checkpoint. */
async function record(ctx: Context): Promise<void> {
  await ensureRecordPartition(ctx);
  await ctx.db.transaction(ctx.tenantId, async (tx) => {
    await findCheckpoint(tx, {});
    await recordActivity(tx, ctx, {
      action: 'annals.exported',
      kind: 'data_access',
      operation: 'read',
      target: { type: 'export', id: ctx.tenantId },
      details: { resource: 'activity', permission: 'export' },
      metadata: { format: 'bundle' },
    });
  });
}

async function writeSigned(ctx: Context, { write, waitMsMax = 10_000 }: ExportBundle): Promise<void> {
  const deadlineMs = performance.now() + waitMsMax;
  for (;;) {
    const written = await ctx.db.transaction(ctx.tenantId, (tx) => tryWrite(tx, ctx, write), {
      snapshot: true,
    });
    if (written) return;
    if (performance.now() > deadlineMs) {
      throw unavailable('an erasure or a purge was just requested and is not signed yet; try again');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** False where the snapshot can show what was erased by a request that it cannot. */
async function tryWrite(tx: Tx, ctx: Context, write: ExportBundle['write']): Promise<boolean> {
  const newest = await newestCheckpoints(tx);
  const logs = logsOf(newest);
  if (await isRequestUnsigned(tx, logs)) return false;
  const { tenantId } = ctx;
  const send = (lines: readonly BundleLine[]) => inTime(write(lines.map(formatBundleLine).join('')));
  await send([
    { type: 'bundle', version: 1, tenantId, madeAt: ctx.clock.now().toISOString(), logs },
    policyLine(newest),
  ]);
  for await (const lines of checkpointLines(tx, logs)) await send(lines);
  for await (const lines of manifestLines(tx, logs)) await send(lines);
  let records = 0;
  for (const log of logs) {
    for await (const lines of blockLines(tx, log)) {
      await send(lines);
      records += lines.length - 1;
    }
  }
  await send([{ type: 'end', records }]);
  return true;
}

async function isRequestUnsigned(tx: Tx, logs: readonly BundleLog[]): Promise<boolean> {
  const { epoch, size } = logs.at(-1) ?? { epoch: 1, size: 0 };
  const behind = [
    sql`b.first_index is null`,
    sql`(b.epoch, b.first_index) >= (${epoch}::int, ${size}::bigint)`,
  ];
  for (const condition of behind) {
    const [row] = await tx.query(sql<{ found: boolean }>`
      select exists (
        select from annals.batch b join annals.activity a
          on a.tenant_id = b.tenant_id and a.batch_id = b.id
            and a.occurred_at between b.first_occurred_at and b.last_occurred_at
        where b.tenant_id = ${tx.tenantId} and ${condition}
          and a.own and a.action in ('erasure.requested', 'retention.requested')) as found`);
    if (row?.found) return true;
  }
  return false;
}

/** A reader that has stopped reading must not hold the snapshot for ever. */
async function inTime(written: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AnnalsError({ code: 'timeout', message: 'the bundle was not read on for a minute' }));
    }, stalledMsMax);
  });
  try {
    await Promise.race([written, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(message: string): AnnalsError {
  return new AnnalsError({ code: 'unavailable', message });
}
