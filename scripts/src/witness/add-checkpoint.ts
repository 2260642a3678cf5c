import {
  type AddCheckpoint,
  type PolicyLog,
  parseAddCheckpoint,
  type SigningKey,
  TlogError,
  witnessCheckpoint,
} from '@annals/tlog';
import { keepEvidence } from './evidence.ts';
import { logIdOf, type WitnessStore } from './witness-store.ts';

/** What a witness works with. */
export interface Witness {
  readonly key: SigningKey;
  readonly logs: readonly PolicyLog[];
  readonly store: WitnessStore;
  /** Where checkpoints are kept that could not be cosigned although their log signed them. */
  readonly evidenceFolder: string;
  readonly now: () => Date;
  readonly tell: (event: WitnessEvent) => void;
}

/** What the operator of a witness is told. */
export type WitnessEvent =
  | { readonly event: 'cosigned'; readonly origin: string; readonly size: number }
  | {
      readonly event: 'refused';
      readonly status: number;
      readonly origin?: string;
      readonly size?: number;
      readonly reason: string;
      /** The file that keeps what was refused. */
      readonly evidence?: string;
    }
  | { readonly event: 'failed'; readonly error: unknown };

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** How often to decide again where others keep taking the place; each time one of them has got its answer. */
const attemptsMax = 100;

/** Answer the body of an add-checkpoint request; what it cosigns is durable before it returns. */
export async function addCheckpoint(body: Uint8Array, witness: Witness): Promise<Answer> {
  let request: AddCheckpoint;
  try {
    request = parseAddCheckpoint(body);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    witness.tell({ event: 'refused', status: 400, reason: error.message });
    return { status: 400, body: `${error.message}\n` };
  }
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const answer = await decide(request, witness);
    if (answer) return answer;
  }
  return { status: 503, body: 'too many requests about this log at once\n' };
}

/** Nothing where another request has changed the state meanwhile. */
async function decide(request: AddCheckpoint, witness: Witness): Promise<Answer | undefined> {
  const { key, logs, store, evidenceFolder, now, tell } = witness;
  const { origin, size } = request.checkpoint;
  const logId = logIdOf(origin);
  const last = await store.read(logId);
  const seconds = Math.floor(now().getTime() / 1_000);
  const answer = witnessCheckpoint({ request, state: last.note, logs, key, now: seconds });
  if (answer.status === 200) {
    const next = { after: last.generation, note: answer.newState };
    if (!(await store.advance(logId, next))) return undefined;
    tell({ event: 'cosigned', origin, size });
    return answer;
  }
  // Asking for the size is how a log begins.
  if (answer.status === 409) return answer;
  const reason = answer.body.trimEnd();
  const pair = answer.evidence !== undefined && last.note !== undefined;
  const evidence = pair
    ? await keepEvidence(evidenceFolder, { reason, refused: answer.evidence, cosigned: last.note, at: now() })
    : undefined;
  const told = { event: 'refused', status: answer.status, origin, size, reason } as const;
  tell(evidence === undefined ? told : { ...told, evidence });
  return answer;
}
