import {
  actorTypes,
  detailsByKind,
  type Kind,
  kinds,
  limits,
  operations,
  outcomes,
  severities,
  type ValidActivity,
  visibilities,
} from '@annals/contract';
import {
  asObject,
  type Count,
  optionalText,
  optionalWord,
  readAction,
  readId,
  readIp,
  readJsonObject,
  readMoment,
  readTags,
  readText,
  readWord,
  unusual,
} from './plain-values.ts';

/** A valid activity, and how many bytes its JSON has at most. */
export interface PlainActivity {
  readonly valid: ValidActivity;
  readonly bytesMax: number;
}

/**
 * What `ActivityInput` makes of an input, in a small part of its time, where nothing about the input is unusual.
 *
 * Undefined says nothing but that the schema is to read it: the schema alone knows all that is allowed, and why
 * something is refused. What is accepted here it accepts as the same; a test holds the two together.
 */
export function readPlain(input: unknown): PlainActivity | undefined {
  try {
    return readActivity(input);
  } catch {
    // What the caller's own getters throw included: they do so for the schema too.
    return undefined;
  }
}

const words = {
  kind: new Set(kinds),
  operation: new Set(operations),
  severity: new Set(severities),
  outcome: new Set(outcomes),
  visibility: new Set(visibilities),
  actorType: new Set(actorTypes),
};

const activityKeys = new Set([
  ...(['id', 'idempotencyKey', 'scopeId', 'action', 'kind', 'operation', 'severity', 'outcome'] as const),
  ...(['visibility', 'occurredAt', 'actor', 'subject', 'target', 'channel', 'source', 'message'] as const),
  ...(['reason', 'context', 'tags', 'metadata', 'details'] as const),
]);
const actorKeys = new Set(['type', 'id', 'label'] as const);
const subjectKeys = new Set(['id'] as const);
const targetKeys = new Set(['type', 'id', 'label'] as const);
const contextKeys = new Set(['ip', 'userAgent', 'requestId', 'sessionId', 'traceId', 'spanId'] as const);

function readActivity(input: unknown): PlainActivity {
  const count: Count = { characters: 0, nodes: 0 };
  const given = asObject(input, activityKeys);
  const kind = optionalWord(given.kind, words.kind) ?? 'activity';
  const valid = {
    id: given.id === undefined ? undefined : readId(given.id),
    idempotencyKey: optionalText(given.idempotencyKey, limits.idLengthMax, count),
    scopeId: optionalText(given.scopeId, limits.idLengthMax, count),
    action: readAction(given.action, count),
    kind,
    operation: optionalWord(given.operation, words.operation),
    severity: optionalWord(given.severity, words.severity) ?? 'info',
    outcome: optionalWord(given.outcome, words.outcome) ?? 'success',
    visibility: optionalWord(given.visibility, words.visibility) ?? 'internal',
    occurredAt: given.occurredAt === undefined ? undefined : readMoment(given.occurredAt),
    actor: readActor(given.actor, count),
    subject: given.subject === undefined ? undefined : readSubject(given.subject, count),
    target: given.target === undefined ? undefined : readTarget(given.target, count),
    channel: optionalText(given.channel, limits.keywordLengthMax, count),
    source: optionalText(given.source, limits.labelLengthMax, count),
    message: optionalText(given.message, limits.textLengthMax, count),
    reason: optionalText(given.reason, limits.textLengthMax, count),
    context: given.context === undefined ? undefined : readContext(given.context, count),
    tags: given.tags === undefined ? [] : readTags(given.tags, count),
    metadata: given.metadata === undefined ? {} : readJsonObject(given.metadata, count),
    details: 'details' in given ? readDetails(kind, given.details) : undefined,
  };
  const bytesMax = valid.details === undefined ? bytesMaxOf(count) : Number.POSITIVE_INFINITY;
  return { valid, bytesMax };
}

function readActor(value: unknown, count: Count) {
  const given = asObject(value, actorKeys);
  return {
    type: readWord(given.type, words.actorType),
    id: optionalText(given.id, limits.idLengthMax, count),
    label: optionalText(given.label, limits.labelLengthMax, count),
  };
}

function readSubject(value: unknown, count: Count) {
  return { id: readText(asObject(value, subjectKeys).id, limits.idLengthMax, count) };
}

function readTarget(value: unknown, count: Count) {
  const given = asObject(value, targetKeys);
  return {
    type: readText(given.type, limits.keywordLengthMax, count),
    id: readText(given.id, limits.idLengthMax, count),
    label: optionalText(given.label, limits.labelLengthMax, count),
  };
}

function readContext(value: unknown, count: Count) {
  const given = asObject(value, contextKeys);
  return {
    ip: given.ip === undefined ? undefined : readIp(given.ip, count),
    userAgent: optionalText(given.userAgent, limits.userAgentLengthMax, count),
    requestId: optionalText(given.requestId, limits.idLengthMax, count),
    sessionId: optionalText(given.sessionId, limits.idLengthMax, count),
    traceId: optionalText(given.traceId, limits.idLengthMax, count),
    spanId: optionalText(given.spanId, limits.idLengthMax, count),
  };
}

/** Read by the schema itself; the plain kind has none, not even an undefined one. */
function readDetails(kind: Kind, details: unknown): object | undefined {
  if (kind === 'activity') throw unusual;
  return detailsByKind[kind].optional().parse(details);
}

/** Names of fields, words of closed lists, the id and times, and what JSON puts around them. */
const fixedBytesMax = 2_048;
/** A number, or what JSON puts around another value; or around a key. */
const nodeBytesMax = 32;
/** As `\u001f`. */
const characterBytesMax = 6;

function bytesMaxOf({ characters, nodes }: Count): number {
  return fixedBytesMax + characters * characterBytesMax + nodes * nodeBytesMax;
}
