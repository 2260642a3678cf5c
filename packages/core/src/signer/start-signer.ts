import { setTimeout as delay } from 'node:timers/promises';
import { AnnalsError } from '@annals/contract';
import type { Policy } from '@annals/tlog';
import type { Services } from '../context.ts';
import { createWaiter } from '../database/create-waiter.ts';
import { describeFailure } from '../job/describe-failure.ts';
import { isAborted } from '../job/is-aborted.ts';
import { type Cosigning, createCosigning } from './cosigning.ts';
import { isForeign } from './is-foreign.ts';
import type { SignerKeys } from './note-signer.ts';
import { signRound } from './sign-round.ts';
import { type Turn, takeSignerTurn } from './signer-lock.ts';
import { createSignerMemory, type Refusal, type SignerMemory } from './signer-memory.ts';
import type { SignerState } from './signer-state.ts';

export interface SignerOptions {
  /** A connection that the signer keeps for itself; the rest goes over those of `services.db`. */
  readonly connectionString: string;
  /** Asked before each round. Files: `readSignerKeys`; a key management service has its own. */
  readonly readKeys: () => Promise<SignerKeys | undefined>;
  readonly state: SignerState;
  /** Whose cosignatures are collected. */
  readonly witnesses?: Policy | undefined;
}

export interface SignerStatus {
  /** One process on a database is active; the others stand by, and take over when it goes. */
  readonly role: 'active' | 'standby';
  /** Logs that the active signer does not sign, since they contradict what was signed. */
  readonly refusals: readonly Refusal[];
  /** Why nothing at all is signed, where that is so. */
  readonly problem: string | undefined;
  /** Checkpoints signed by this process. */
  readonly signed: number;
  /** Logs whose newest checkpoint a witness has not cosigned yet. */
  readonly uncosigned: number;
}

export interface Signer {
  status(): SignerStatus;
  /** Finish the signatures in hand, and give way to another signer. */
  stop(): Promise<void>;
}

/** However often it is woken, rounds begin so far apart; */
const gatherMs = 100;
/** and where a round takes long, since there are very many logs, it rests as long, up to this. */
const restMsMax = 500;
const retryMs = 1_000;

/**
 * Sign the logs of all tenants as they grow, until `stop`. Any number of processes may do so on one database, with
 * one directory or service that holds the state: one signs at a time.
 *
 * Nothing is thrown later on: a database that cannot be reached is waited for, a log that contradicts what was
 * signed is refused, reported and left alone while the others go on, and keys that cannot be used stop everything
 * until they can. `status` tells.
 */
export function startSigner(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  options: SignerOptions,
): Signer {
  const { connectionString } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const waiter = createWaiter(services.db.signals, 'annals_log');
  const standing: Standing = {
    role: 'standby',
    memory: createSignerMemory(),
    cosigning: undefined,
    problem: undefined,
    signed: 0,
  };
  const beActive = async ({ lost, check }: Turn) => {
    await using turn = new AsyncDisposableStack();
    standing.role = 'active';
    standing.memory = createSignerMemory();
    standing.cosigning = options.witnesses && createCosigning(services, options.witnesses);
    turn.defer(() => standing.cosigning?.stop());
    while (!isAborted(lost)) {
      const begunMs = performance.now();
      await check();
      const moreMs = await work(services, { options, standing, signal: lost });
      const tookMs = performance.now() - begunMs;
      await pause(Math.max(gatherMs - tookMs, Math.min(tookMs, restMsMax)), signal);
      await waiter.wait(moreMs);
    }
  };
  const run = async () => {
    while (!isAborted(signal)) {
      await takeSignerTurn({ connectionString, signal, work: beActive }).catch((error: unknown) =>
        reportFailure(services, standing, error),
      );
      standing.role = 'standby';
      await pause(retryMs, signal);
    }
  };
  const running = run();
  return {
    status: () => {
      const { role, memory, cosigning, problem, signed } = standing;
      const refusals = role === 'active' ? [...memory.refusals.values()] : [];
      return { role, refusals, problem, signed, uncosigned: cosigning?.waiting() ?? 0 };
    },
    stop: async () => {
      stopping.abort();
      waiter.end();
      await running;
    },
  };
}

interface Standing {
  role: SignerStatus['role'];
  memory: SignerMemory;
  cosigning: Cosigning | undefined;
  problem: string | undefined;
  signed: number;
}

interface Working {
  readonly options: SignerOptions;
  readonly standing: Standing;
  readonly signal: AbortSignal;
}

/** One round with the keys as they are now. A process whose keys cannot be used gives way to others. */
async function work(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  { options, standing, signal }: Working,
): Promise<number> {
  const keys = await options.readKeys();
  if (await isForeign(services, keys ?? { active: [], retired: [] })) {
    throw unusableKeys(
      'the database was signed with keys that are not in its directory; let it share that of the other signer, or set ANNALS_SIGNER=off',
    );
  }
  if (!keys) throw unusableKeys('there is no key; `annals log-key create` makes one');
  standing.problem = undefined;
  const onSettled = (tenantId: string, signed: boolean) => {
    if (signed) standing.signed += 1;
    standing.cosigning?.add(tenantId);
  };
  return signRound({ services, keys, state: options.state }, { memory: standing.memory, signal, onSettled });
}

function reportFailure({ log }: Pick<Services, 'log'>, standing: Standing, error: unknown): void {
  const reason = error instanceof AnnalsError && error.code === 'invalid_input' ? error.message : undefined;
  if (reason === undefined) log.warn(describeFailure(error), 'the signer cannot work; it tries again');
  else if (reason !== standing.problem) log.error({ reason }, 'this process cannot sign');
  standing.problem = reason;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

function unusableKeys(message: string): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message });
}
