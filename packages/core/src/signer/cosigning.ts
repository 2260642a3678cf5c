import { setTimeout as delay } from 'node:timers/promises';
import { formatSignature, type Policy, type PolicyWitness, parseNote } from '@annals/tlog';
import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Tx } from '../database/database.ts';
import { createTurns } from '../database/turns.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { isAborted } from '../job/is-aborted.ts';
import { consistencyProof } from '../log/consistency-proof.ts';
import { newestLog } from '../log/newest-log.ts';
import { type CheckpointRow, lastCheckpoint } from './last-checkpoint.ts';
import { collectCosignatures, type WitnessMemory } from './witnesses.ts';

/** Collects cosignatures beside the signing, which never waits for it. */
export interface Cosigning {
  /** See that the newest checkpoint of a tenant is cosigned. */
  add(tenantId: string): void;
  /** Tenants whose newest checkpoint lacks a cosignature. */
  waiting(): number;
  stop(): Promise<void>;
}

/** Logs whose witnesses are asked at once, and how long a log waits for its turn. */
const logsAtOnce = 8;
const turnMsMax = 3_600_000;
/** After which a witness that did not cosign is asked again, if the log has not grown before. */
const againMs = 30_000;

export function createCosigning(
  services: Pick<Services, 'db' | 'log'>,
  { witnesses }: Pick<Policy, 'witnesses'>,
): Cosigning {
  const asked = witnesses.filter(({ url }) => url !== undefined);
  const stopping = new AbortController();
  const { signal } = stopping;
  const turns = createTurns(logsAtOnce);
  const memory: WitnessMemory = new Map();
  const working = new Map<string, { wake: AbortController; done: Promise<void> }>();

  const cosign = async (tenantId: string, wakeOf: () => AbortSignal): Promise<void> => {
    while (!isAborted(signal)) {
      const wake = wakeOf();
      const complete = await turns
        .run(() => cosignNewest(services, { tenantId, witnesses: asked, memory, signal }), turnMsMax)
        .catch((error: unknown) => {
          services.log.warn({ tenantId, ...describeFailure(error) }, 'cannot have a checkpoint cosigned');
          return false;
        });
      if (complete && !wake.aborted) return;
      if (!complete)
        await delay(againMs, undefined, { signal: AbortSignal.any([signal, wake]) }).catch(() => undefined);
    }
  };
  return {
    add: (tenantId) => {
      const before = working.get(tenantId);
      if (before) {
        before.wake.abort();
        before.wake = new AbortController();
      } else {
        const own = { wake: new AbortController(), done: Promise.resolve() };
        working.set(tenantId, own);
        own.done = cosign(tenantId, () => own.wake.signal).finally(() => working.delete(tenantId));
      }
    },
    waiting: () => working.size,
    stop: async () => {
      stopping.abort();
      await Promise.all(Array.from(working.values(), ({ done }) => done));
    },
  };
}

interface CosignNewest {
  readonly tenantId: string;
  readonly witnesses: readonly PolicyWitness[];
  readonly memory: WitnessMemory;
  readonly signal: AbortSignal;
}

/** Ask those that have not cosigned the newest checkpoint; returns whether all have by then. */
async function cosignNewest(
  { db, log }: Pick<Services, 'db' | 'log'>,
  { tenantId, witnesses, memory, signal }: CosignNewest,
): Promise<boolean> {
  const newest = await db.transaction(tenantId, newestCheckpoint);
  const missing = newest ? witnesses.filter(({ key }) => !hasSigned(newest, key)) : [];
  if (!newest || missing.length === 0) return true;
  const { epoch, size, note } = newest;
  const prove = (from: number) =>
    db.transaction(tenantId, (tx) => consistencyProof(tx, { epoch, size, from }));
  const collected = await collectCosignatures({
    policy: { witnesses: missing },
    note,
    prove,
    log,
    memory,
    signal,
  });
  const lines = collected.cosignatures.map(formatSignature).join('');
  if (lines !== '') {
    await db.transaction(tenantId, (tx) => addToNote(tx, newest, lines), { role: 'custodian' });
  }
  return collected.missing.length === 0;
}

type NewestCheckpoint = CheckpointRow & { readonly epoch: number };

async function newestCheckpoint(tx: Tx): Promise<NewestCheckpoint | undefined> {
  const log = await newestLog(tx);
  const row = log && (await lastCheckpoint(tx, { epoch: log.epoch }));
  return row && { ...row, epoch: log.epoch };
}

function hasSigned({ note }: CheckpointRow, key: PolicyWitness['key']): boolean {
  return parseNote(note).signatures.some(({ name, keyId }) => name === key.name && keyId === key.keyId);
}

async function addToNote(tx: Tx, { epoch, size, note }: NewestCheckpoint, lines: string): Promise<void> {
  await tx.query(sql`
    update annals.checkpoint set note = ${note + lines}
    where tenant_id = ${tx.tenantId} and epoch = ${epoch} and size = ${size} and note = ${note}`);
  tx.notify('annals_checkpoint');
}
