import { setTimeout as delay } from 'node:timers/promises';
import {
  type Checkpoint,
  formatAddCheckpoint,
  formatVerifierKey,
  type NoteSignature,
  type Policy,
  type PolicyWitness,
  parseCheckpoint,
  parseNote,
  parseWitnessSize,
  readCosignatures,
  TlogError,
} from '@annals/tlog';
import { describeFailure } from '../job/describe-failure.ts';
import type { Logger } from '../logger.ts';
import { askWitness, WitnessFailure } from './ask-witness.ts';

export interface CollectOptions {
  /** Its witnesses that have a URL are asked; nothing else of it matters here. */
  readonly policy: Pick<Policy, 'witnesses'>;
  /** The signed checkpoint. */
  readonly note: string;
  /** The consistency proof from any size of at least 1 that is smaller than the checkpoint's. */
  readonly prove: (from: number) => Promise<readonly Uint8Array[]>;
  readonly log: Logger;
  /** What is known of the witnesses from one call to the next; without it each is asked for its size again. */
  readonly memory?: WitnessMemory | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For one request; 5 s unless told otherwise. */
  readonly timeoutMs?: number;
  /** Before a request is repeated that failed in passing, doubled each time; 250 ms unless told otherwise. */
  readonly retryMs?: number;
  /** How long a witness that could not be reached is not asked at all; 30 s unless told otherwise. */
  readonly restMs?: number;
}

export interface Collected {
  /** Each verified; they belong behind the log's own signatures in the note. */
  readonly cosignatures: readonly NoteSignature[];
  /** The witnesses, by their names in the policy, that did not cosign: ask again some time. */
  readonly missing: readonly string[];
}

/**
 * What is known of the witnesses, empty at the start. It is shared by all logs, so that one witness which cannot be
 * reached does not hold up the others for each of them.
 */
export type WitnessMemory = Map<string, WitnessSight>;

/** Of a witness, or of a witness and an origin. */
export interface WitnessSight {
  /** What it cosigned last, 0 where that is unknown. */
  size: number;
  /** Why it did not cosign, which is logged when it changes. */
  problem?: string | undefined;
  /** When it may be asked again, by `performance.now()`. */
  restsUntilMs?: number;
}

/** Requests to one witness about one checkpoint. */
const attemptsMax = 4;

/**
 * Ask all witnesses at once to cosign a checkpoint. Run it beside the signing, never before it, and once at a time
 * for a log, since a witness cosigns no checkpoint that is smaller than its last.
 *
 * Whatever the witnesses do is logged and nothing else; there are 4 requests at most to each. A witness learns what
 * the note and the proof show, and nothing more.
 * Errors  `TlogError` where `note` is no signed checkpoint.
 * Source  C2SP tlog-witness, "add-checkpoint".
 */
export async function collectCosignatures(options: CollectOptions): Promise<Collected> {
  const checkpoint = parseCheckpoint(parseNote(options.note).text);
  const witnesses = options.policy.witnesses.filter(({ url }) => url !== undefined);
  const memory: WitnessMemory = options.memory ?? new Map();
  const answers = await Promise.all(
    witnesses.map((witness) => collectFrom(witness, { ...options, memory, checkpoint })),
  );
  return {
    cosignatures: answers.flatMap((answer) => answer ?? []),
    missing: witnesses.filter((_, at) => !answers[at]).map(({ name }) => name),
  };
}

interface Collecting extends CollectOptions {
  readonly memory: WitnessMemory;
  readonly checkpoint: Checkpoint;
}

/** Nothing where the witness did not cosign. */
async function collectFrom(
  witness: PolicyWitness,
  collecting: Collecting,
): Promise<readonly NoteSignature[] | undefined> {
  const { memory, checkpoint, log, signal, restMs = 30_000 } = collecting;
  const vkey = formatVerifierKey(witness.key);
  const everywhere = sightOf(memory, vkey);
  if (performance.now() < (everywhere.restsUntilMs ?? 0)) return undefined;
  const known = sightOf(memory, `${vkey}\n${checkpoint.origin}`);
  const told = { witness: witness.name, origin: checkpoint.origin, size: checkpoint.size };
  try {
    const cosignatures = await ask(witness, known, collecting);
    known.size = checkpoint.size;
    if (known.problem !== undefined) log.info(told, 'a witness cosigns again');
    known.problem = undefined;
    return cosignatures;
  } catch (error) {
    if (signal?.aborted) return undefined;
    if (error instanceof WitnessFailure && error.unreachable) {
      everywhere.restsUntilMs = performance.now() + restMs;
    }
    const fields = describe(error);
    const problem = JSON.stringify(fields);
    if (problem !== known.problem) log.warn({ ...told, ...fields }, 'a witness did not cosign');
    known.problem = problem;
    return undefined;
  }
}

function sightOf(memory: WitnessMemory, id: string): WitnessSight {
  const known = memory.get(id) ?? { size: 0 };
  memory.set(id, known);
  return known;
}

/** Ask until the witness cosigns or there is no sense in asking. */
async function ask(
  witness: PolicyWitness,
  known: WitnessSight,
  collecting: Collecting,
): Promise<NoteSignature[]> {
  const { checkpoint, retryMs = 250, signal } = collecting;
  for (let attempt = 1; ; attempt += 1) {
    // Of a size beyond the checkpoint there is no proof: the witness may have been set back since.
    const oldSize = known.size > checkpoint.size ? 0 : known.size;
    try {
      const answer = await askOnce(witness, oldSize, collecting);
      if (typeof answer !== 'number') return answer;
      known.size = answer;
      if (answer > checkpoint.size) {
        throw new WitnessFailure('it has cosigned a larger checkpoint of this log than this one');
      }
      if (answer === oldSize || attempt === attemptsMax) {
        throw new WitnessFailure('it tells another size each time, or refuses the one it told');
      }
    } catch (error) {
      if (!(error instanceof WitnessFailure && error.passing) || attempt === attemptsMax) throw error;
      await delay(retryMs * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}

/** Its cosignatures, or with 409 the size that it cosigned last. */
async function askOnce(
  witness: PolicyWitness,
  oldSize: number,
  { note, checkpoint, prove, timeoutMs = 5_000, signal }: Collecting,
): Promise<NoteSignature[] | number> {
  const proof = oldSize === 0 || oldSize === checkpoint.size ? [] : await prove(oldSize);
  const request = formatAddCheckpoint({ oldSize, proof, note });
  const { status, body } = await askWitness(witness, request, { timeoutMs, signal });
  if (status === 409) return parseWitnessSize(body);
  if (status === 200) return readCosignatures({ body, text: parseNote(note).text, keys: [witness.key] });
  throw new WitnessFailure(meanings[status] ?? `it answered with status ${status}`, {
    passing: status === 429 || status >= 500,
  });
}

const meanings: Readonly<Record<number, string>> = {
  403: 'it knows the log, but none of the keys that signed',
  404: 'it does not know the log, or is none at this URL',
  422: 'it has cosigned ANOTHER history of this log: find out which one is right',
};

function describe(error: unknown): object {
  const told = error instanceof WitnessFailure || error instanceof TlogError;
  return told ? { reason: error.message } : describeFailure(error);
}
