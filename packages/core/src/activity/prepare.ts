import {
  ActivityInput,
  type ErrorCode,
  type JsonObject,
  type LogItem,
  limits,
  type ValidActivity,
} from '@annals/contract';
import { deriveId, timeOfId } from './activity-id.ts';
import { firstProblem, type Problem } from './first-problem.ts';
import { type PlainActivity, readPlain } from './read-plain.ts';

/** A valid activity that has its id and its time: what is stored, but for the receive time and the batch. */
export type NewActivity = Omit<ValidActivity, 'id' | 'idempotencyKey' | 'occurredAt' | 'details'> & {
  readonly id: string;
  readonly occurredAt: Date;
  readonly details?: JsonObject | undefined;
};

export type Refused = Extract<LogItem, { status: 'refused' }>;

export interface Prepared {
  readonly activity: NewActivity;
  /** What it takes at most as JSON. */
  readonly bytes: number;
}

export interface PrepareOptions {
  /** Where the item stands in the input, as `activities.3`. */
  readonly path: string;
  readonly tenantId: string;
  readonly now: Date;
  readonly mintId: (occurredAt: Date) => string;
}

/**
 * Check one item of a call and give it its id and time.
 *
 * Limits `activityBytesMax` as UTF-8 JSON, `clockSkewMsMax` ahead of `now`; not before 1970-01-01.
 * Id     given: its time is `occurredAt`. `idempotencyKey`: derived from it and `occurredAt`. Else minted.
 */
export function prepareActivity(item: unknown, options: PrepareOptions): Prepared | { refused: Refused } {
  const read = readPlain(item) ?? readBySchema(item, options.path);
  if ('refused' in read) return read;
  const { id, idempotencyKey, occurredAt: given, ...rest } = read.valid;
  const occurredAt = given ?? (id === undefined ? options.now : timeOfId(id));
  const bytes = bytesOf(read);
  const problem =
    sizeProblem(bytes) ?? idProblem(read.valid) ?? timeProblem(read.valid, occurredAt, options.now);
  if (problem) {
    const { code, field, ...told } = problem;
    return refuse({ ...told, path: field === undefined ? options.path : `${options.path}.${field}` }, code);
  }
  const derived = idempotencyKey && deriveId(options.tenantId, idempotencyKey, occurredAt);
  const details = 'details' in rest ? saidOf(rest.details) : undefined;
  const activity = { ...rest, details, id: id ?? derived ?? options.mintId(occurredAt), occurredAt };
  return { activity, bytes };
}

function readBySchema(item: unknown, path: string): PlainActivity | { refused: Refused } {
  const parsed = ActivityInput.safeParse(item);
  if (!parsed.success) return refuse(firstProblem(parsed.error.issues, path));
  return { valid: parsed.data, bytesMax: Number.POSITIVE_INFINITY };
}

/**
 * What details say: a text that is empty is absent, though its key is there, and a log commits to nothing of it nor
 * of details without a key.
 */
function saidOf(details: object | undefined): JsonObject | undefined {
  const said = Object.entries((details ?? {}) as JsonObject).filter(([, value]) => value !== undefined);
  return said.length > 0 ? Object.fromEntries(said) : undefined;
}

interface FieldProblem extends Omit<Problem, 'path'> {
  readonly code?: ErrorCode;
  readonly field?: string;
}

/** Measured only where it may be too much. */
function bytesOf({ valid, bytesMax }: PlainActivity): number {
  return bytesMax <= limits.activityBytesMax ? bytesMax : Buffer.byteLength(JSON.stringify(valid));
}

function sizeProblem(bytes: number): FieldProblem | undefined {
  const limit = limits.activityBytesMax;
  if (bytes <= limit) return undefined;
  return { code: 'too_large', message: `must be at most ${limit} bytes as JSON`, limit };
}

function idProblem({ id, idempotencyKey, occurredAt }: ValidActivity): FieldProblem | undefined {
  if (idempotencyKey !== undefined && id !== undefined) {
    return { field: 'idempotencyKey', message: 'must not be given with id: it derives one' };
  }
  if (idempotencyKey !== undefined && occurredAt === undefined) {
    return { field: 'occurredAt', message: 'must be given with idempotencyKey: the id derives from both' };
  }
  if (id !== undefined && occurredAt !== undefined && timeOfId(id).getTime() !== occurredAt.getTime()) {
    return { field: 'id', message: 'must carry the time of occurredAt, to the millisecond' };
  }
  return undefined;
}

function timeProblem(given: ValidActivity, time: Date, now: Date): FieldProblem | undefined {
  const field = given.occurredAt === undefined ? 'id' : 'occurredAt';
  if (time.getTime() < 0) return { field, message: 'must not lie before 1970-01-01' };
  if (time.getTime() <= now.getTime() + limits.clockSkewMsMax) return undefined;
  const limit = limits.clockSkewMsMax;
  return { field, message: `must lie at most ${limit} ms ahead of the server's clock`, limit };
}

function refuse(problem: Problem, code: ErrorCode = 'invalid_input'): { refused: Refused } {
  return { refused: { status: 'refused', code, ...problem } };
}
