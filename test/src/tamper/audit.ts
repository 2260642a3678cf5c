import { AnnalsError } from '@annals/contract';
import { exportBundle, proveActivity } from '@annals/core';
import { sealDueManifests, signAll } from '@annals/core/testing';
import { anActivity } from '@annals/testkit';
import { type BundleReport, verifyAuditBundle } from '@annals/tlog';
import { tenantId } from './catalogue.ts';
import type { History } from './history.ts';
import { appendAll } from './services.ts';

/** Who noticed, and what was said: the codes of findings, or why somebody refused. */
export interface Notice {
  readonly by: 'verify' | 'sequencer' | 'signer' | 'later verify' | 'receipts' | 'proof';
  readonly said: string;
}

export interface AuditOptions {
  /** The history's newest, unless told otherwise. */
  readonly held?: readonly string[];
  readonly withReceipts?: boolean;
  /** The history's, unless told otherwise. */
  readonly policy?: string;
}

/** The bundle of the tenant, as text. */
export async function bundleText({ ctx }: Pick<History, 'ctx'>): Promise<string> {
  const parts: string[] = [];
  const write = async (text: string) => void parts.push(text);
  await exportBundle({ ctx, input: { write, waitMsMax: 0 } });
  return parts.join('');
}

/** Write the bundle of the tenant and verify it, as an auditor with a checkpoint would. */
export async function audit(history: History, options: AuditOptions = {}): Promise<BundleReport> {
  const text = await bundleText(history);
  return verifyAuditBundle([new TextEncoder().encode(text)], {
    policy: options.policy ?? history.policy,
    heldCheckpoints: options.held ?? history.held.slice(-1),
    receipts: options.withReceipts ? history.receipts : undefined,
    now: history.core.clock.now(),
  });
}

/**
 * What becomes of a change: an auditor looks, then the log goes on for two days, then the auditor looks again, with
 * the receipts of callers; last, proofs are asked for of records that were not there before. The first who notices is told; undefined where nobody does.
 */
export async function noticeOf(history: History): Promise<Notice | undefined> {
  return (
    (await auditNotice(history)) ??
    (await goOn(history)) ??
    (await laterNotice(history)) ??
    proofNotice(history)
  );
}

async function auditNotice(history: History): Promise<Notice | undefined> {
  try {
    const codes = invalidCodes(await audit(history));
    return codes.length === 0 ? undefined : { by: 'verify', said: codes.join(' ') };
  } catch (error) {
    // What is to be tried again is no report of anything.
    if (error instanceof AnnalsError && error.code === 'unavailable') return undefined;
    throw error;
  }
}

async function laterNotice(history: History): Promise<Notice | undefined> {
  const codes = invalidCodes(await audit(history, { withReceipts: true }));
  if (codes.length === 0) return undefined;
  const byReceipts = codes.every((code) => code.startsWith('receipt_'));
  return { by: byReceipts ? 'receipts' : 'later verify', said: codes.join(' ') };
}

async function proofNotice({ admin, ctx }: History): Promise<Notice | undefined> {
  const { rows } = await admin.query<{ id: string }>(
    `select id from annals.activity where id::text like '%ffff' and tenant_id = $1`,
    [tenantId],
  );
  for (const { id } of rows) {
    try {
      await proveActivity({ ctx, input: { id } });
    } catch (error) {
      return { by: 'proof', said: String(error) };
    }
  }
  return undefined;
}

/** What makes a bundle invalid. */
export function invalidCodes({ findings }: BundleReport): string[] {
  return findings.filter(({ severity }) => severity === 'invalid').map(({ code }) => code);
}

const twoDaysMs = 50 * 3_600_000;

/** Sequencing, signing, sealing and signing again, as time passes. */
async function goOn({ core, ctx, dir }: History): Promise<Notice | undefined> {
  try {
    await signAll(core, { tenantId, dir });
    core.clock.advance(twoDaysMs);
    await appendAll(ctx, [anActivity({ occurredAt: core.clock.now() })]);
    await sealDueManifests(core.services);
    await signAll(core, { tenantId, dir });
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'LogRefused')
      return { by: 'sequencer', said: error.message };
    if (error instanceof Error && error.name === 'SigningRefused')
      return { by: 'signer', said: error.message };
    throw error;
  }
}
