import { AnnalsError } from '@annals/contract';
import { encodeBase64 } from '@annals/tlog';
import { sql } from 'kysely';
import { describeFailure } from '../job/describe-failure.ts';
import { isAborted } from '../job/is-aborted.ts';
import type { Signing } from './examine-log.ts';
import { parseLogOrigin } from './origin.ts';
import { signLog } from './sign-log.ts';
import type { SignerMemory } from './signer-memory.ts';
import { SigningRefused } from './signing-refused.ts';

/** Of one round: logs that have grown, and logs that are only compared. */
const unsignedMax = 1_000;
const comparedMax = 200;
/** How often all logs are compared with what was signed. */
const compareMs = 600_000;
/** While one log waits for the disk, others go on; each takes a connection of the custodian. */
const logsAtOnce = 3;
/** A log that grows is signed so often at most: with the rest of the way, within 1.5 s of a commit. */
const paceMs = 800;
/** How long a log that was refused is left alone. */
const refusedMs = 10_000;

export interface SignRound {
  readonly memory: SignerMemory;
  readonly signal: AbortSignal;
  /** Called for each log that is as it was signed, and whether it was just now. */
  readonly onSettled: (tenantId: string, signed: boolean) => void;
}

/**
 * Sign every log that has grown since its last checkpoint, those first that have waited longest. A log that is
 * refused is remembered and reported; the others go on.
 *
 * Returns after how many milliseconds there may be more to do without anybody saying so.
 * Errors  `unavailable` when the database cannot be reached.
 */
export async function signRound(signing: Signing, round: SignRound): Promise<number> {
  const { memory, signal } = round;
  await beginCompare(signing, memory);
  const unsigned = await findUnsigned(signing, unsignedMax + memory.refusals.size);
  const nowMs = performance.now();
  for (const [id, untilMs] of memory.restsUntilMs) if (untilMs <= nowMs) memory.restsUntilMs.delete(id);
  const compared = memory.toCompare.splice(0, comparedMax);
  const due = new Set([...unsigned.filter((id) => !memory.restsUntilMs.has(id)), ...compared]).values();
  const work = async () => {
    for (let next = due.next(); !next.done && !isAborted(signal); next = due.next()) {
      await signOne(signing, round, next.value);
    }
  };
  await Promise.all(Array.from({ length: logsAtOnce }, work));
  return memory.toCompare.length > 0 ? 0 : nextDueMs(unsigned, memory);
}

/**
 * At first, now and then, and when keys have changed, each log that was ever signed is looked at, whether it has
 * grown or not: a restored database is noticed at once, and a rotation is put into logs that rest.
 */
async function beginCompare({ services, keys, state }: Signing, memory: SignerMemory): Promise<void> {
  const active = keys.active.map(({ publicKey }) => encodeBase64(publicKey)).join();
  const nowMs = performance.now();
  if (active === memory.comparedKeys && nowMs - memory.comparedMs < compareMs) return;
  const { origins, damaged } = await state.origins();
  for (const file of damaged) services.log.error({ file }, 'a state file of the signer is damaged');
  const tenants = origins.flatMap((origin) => parseLogOrigin(origin, keys.logName)?.tenantId ?? []);
  memory.toCompare = [...new Set(tenants)];
  memory.comparedKeys = active;
  memory.comparedMs = nowMs;
}

async function findUnsigned({ services }: Signing, tenantsMax: number): Promise<string[]> {
  const rows = await services.db.query(
    sql<{ id: string }>`select tenant_id as id from annals.find_unsigned(${tenantsMax})`,
  );
  return rows.map(({ id }) => id);
}

function nextDueMs(unsigned: readonly string[], { restsUntilMs }: SignerMemory): number {
  const untilMs = unsigned.flatMap((id) => restsUntilMs.get(id) ?? []);
  return Math.min(paceMs, Math.max(0, Math.min(...untilMs) - performance.now()));
}

async function signOne(signing: Signing, { memory, onSettled }: SignRound, tenantId: string): Promise<void> {
  try {
    const checkpoint = await signLog(signing, tenantId);
    if (memory.refusals.delete(tenantId)) signing.services.log.info({ tenantId }, 'the log is signed again');
    if (checkpoint) memory.restsUntilMs.set(tenantId, performance.now() + paceMs);
    onSettled(tenantId, checkpoint !== undefined);
  } catch (error) {
    if (error instanceof AnnalsError && error.code !== 'invalid_input') throw error;
    memory.restsUntilMs.set(tenantId, performance.now() + refusedMs);
    reportRefusal(signing, memory, { tenantId, error });
  }
}

function reportRefusal(
  { services }: Signing,
  { refusals }: SignerMemory,
  { tenantId, error }: { readonly tenantId: string; readonly error: unknown },
): void {
  const told = error instanceof SigningRefused || error instanceof AnnalsError;
  const reason = told ? error.message : 'an unexpected error; the log of this process has it';
  const before = refusals.get(tenantId);
  refusals.set(tenantId, { tenantId, reason, since: before?.since ?? services.clock.now() });
  if (before?.reason === reason) return;
  services.log.error(
    { tenantId, reason, ...(!told && describeFailure(error)) },
    'the log of a tenant is NOT signed: docs/signing.md says what to do',
  );
}
