import { ActivityInput, type JsonObject, type JsonValue, type Kind } from '@annals/contract';
import { contentHash } from './canonical-json.ts';
import { describeUnusable, evaluateRule, holdsTrue, type Reading, type Source } from './evaluate-rule.ts';
import { fitMetadata } from './fit-metadata.ts';
import { findPath, type JsonPath, withoutPaths } from './json-path.ts';
import type { Mapping } from './mapping.ts';
import { type Mapped, refuse } from './outcome.ts';
import type { Condition, Rule } from './rule.ts';
import { scalarText } from './transforms.ts';

/** One filled field of the activity to be, as `['context', 'ip']`. */
interface Piece extends Reading {
  readonly path: readonly string[];
}

type Variant = { readonly when: Condition } & { readonly [name: string]: Rule | Condition | undefined };

/**
 * The activity that a source object means, or why it cannot be one. Pure.
 *
 * Needed are a usable `action`, `occurredAt` and `actor`: they are never made up. Any other value that the
 * contract would refuse (an address that is none, a text over its limit) stays in metadata instead, when the
 * mapping keeps the rest; else the object is refused. The id derives from the mapping's format and the
 * object's content, so that the same event is stored once however often it comes.
 */
export function applyMapping(mapping: Mapping, object: JsonObject): Mapped {
  const source: Source = { object, ignoreCase: mapping.ignoreCase };
  let pieces = readPieces(mapping, source);
  for (const field of ['occurredAt', 'action'] as const) {
    if (!pieces.some(({ path }) => path[0] === field)) {
      return refuse(field, describeUnusable(mapping.fields[field], source));
    }
  }
  if (!pieces.some(({ path }) => path[0] === 'actor'))
    return refuse('actor', 'no rule of the mapping applies');
  for (;;) {
    const candidate = assemble(mapping, source, pieces);
    const parsed = ActivityInput.safeParse(candidate);
    if (parsed.success) return { activity: candidate as ActivityInput };
    const issues = parsed.error.issues;
    const kept = pieces.filter((piece) => !issues.some((issue) => spills(piece, issue.path)));
    if (!mapping.metadata.rest || kept.length === pieces.length) {
      const [issue] = issues;
      return refuse(issue?.path.join('.') || undefined, issue?.message ?? 'is not an activity');
    }
    pieces = kept;
  }
}

const textFields = [
  'action',
  'occurredAt',
  'scopeId',
  'kind',
  'operation',
  'severity',
  'outcome',
  'visibility',
  'channel',
  'source',
  'message',
  'reason',
] as const;
const needed: readonly unknown[] = ['action', 'occurredAt', 'actor', 'kind', 'metadata'];

function readPieces({ fields, metadata }: Mapping, source: Source): Piece[] {
  const pieces = [
    ...textFields.flatMap((name) => textPiece([name], fields[name], source)),
    ...groupPieces('actor', fields.actor, source),
    ...groupPieces('subject', fields.subject, source),
    ...groupPieces('target', fields.target, source),
    ...Object.entries(fields.context ?? {}).flatMap(([name, rule]) =>
      textPiece(['context', name], rule, source),
    ),
    ...fields.tags.flatMap((rule) => piece(['tags'], rule, source)),
    ...Object.entries(metadata.fields).flatMap(([name, rule]) => piece(['metadata', name], rule, source)),
  ];
  const kind = pieces.find(({ path }) => path[0] === 'kind')?.value as Exclude<Kind, 'activity'> | undefined;
  const details = (kind && fields.details[kind]) ?? {};
  return [
    ...pieces,
    ...Object.entries(details).flatMap(([name, rule]) => piece(['details', name], rule, source)),
  ];
}

function piece(path: readonly string[], rule: Rule | undefined, source: Source): Piece[] {
  const reading = rule && evaluateRule(rule, source);
  return reading ? [{ path, ...reading }] : [];
}

function textPiece(path: readonly string[], rule: Rule | undefined, source: Source): Piece[] {
  return piece(path, rule, source).flatMap(({ value, ...rest }) => {
    const text = scalarText(value);
    return text === undefined ? [] : [{ ...rest, value: text }];
  });
}

// The first variant that yields what the group cannot be without.
function groupPieces(name: string, variants: readonly Variant[] | undefined, source: Source): Piece[] {
  const required = { actor: ['type'], subject: ['id'], target: ['type', 'id'] }[name] ?? [];
  for (const { when, ...rules } of variants ?? []) {
    if (!holdsTrue(when, source)) continue;
    const pieces = Object.entries(rules).flatMap(([part, rule]) =>
      textPiece([name, part], rule as Rule | undefined, source),
    );
    if (required.every((part) => pieces.some(({ path }) => path[1] === part))) return pieces;
  }
  return [];
}

function assemble(mapping: Mapping, source: Source, pieces: readonly Piece[]): object {
  const activity: Record<string, unknown> = {
    idempotencyKey: `${mapping.format}:${contentHash(source.object)}`,
  };
  const groups: Record<string, Record<string, JsonValue>> = {};
  const tags: JsonValue[] = [];
  for (const { path, value } of pieces) {
    const [first = '', second] = path;
    if (first === 'tags') tags.push(...(Array.isArray(value) ? value : [value]));
    else if (second === undefined) activity[first] = value;
    else groups[first] = { ...groups[first], [second]: value };
  }
  const metadata = mapping.metadata.rest ? restOf(mapping, source, pieces) : (groups['metadata'] ?? {});
  return { ...activity, ...groups, ...(tags.length > 0 && { tags }), metadata: fitMetadata(metadata) };
}

function restOf(mapping: Mapping, source: Source, pieces: readonly Piece[]): JsonObject {
  const omitted = mapping.metadata.omit.flatMap((path) => {
    const found = findPath(source.object, path, source);
    return found ? [found.path] : [];
  });
  const held: readonly JsonPath[] = pieces.flatMap(({ holds }) => holds);
  return withoutPaths(source.object, [...held, ...omitted]);
}

// A target without its id is none, and details are typed as a whole; of the context each part stands alone.
function spills({ path }: Piece, issuePath: readonly PropertyKey[]): boolean {
  if (needed.includes(path[0]) || path[0] !== issuePath[0]) return false;
  return path[0] !== 'context' || path[1] === issuePath[1];
}
