import type { JsonValue } from '@annals/contract';
import { parseEpochMs, parseEpochSeconds, parseTimeText, type ReadTime } from './parse-time.ts';

/** A value after a transform. `exact` says that nothing was lost, so that the original need not be kept. */
export interface Transformed {
  readonly value: JsonValue;
  readonly exact: boolean;
}

/** One step of a rule: a name, and an argument for those that take one. */
export interface Transform {
  readonly name: TransformName;
  readonly argument?: string | undefined;
}

type Apply = (value: JsonValue, argument: string) => Transformed | undefined;

/** Every transform that a mapping can name; `before`, `after` and `afterLast` take a text after a colon. */
export const transforms = {
  /** Numbers and booleans as text. */
  text: onScalar((text) => text),
  lowercase: onScalar((text) => text.toLowerCase()),
  /** One segment of an action: `PutBucketPolicy` becomes `put_bucket_policy`. */
  key: onScalar(toKey),
  /** As `key`, for each part between dots. */
  action: onScalar((text) => text.split('.').map(toKey).filter(Boolean).join('.')),
  /** What stands before the first occurrence of the argument, or all where it does not occur. */
  before: onScalar((text, argument) => text.split(argument, 1)[0] ?? ''),
  /** What stands after the first occurrence of the argument, or all. */
  after: onScalar((text, argument) => {
    const at = text.indexOf(argument);
    return at === -1 ? text : text.slice(at + argument.length);
  }),
  /** What stands after the last occurrence of the argument, or all. */
  afterLast: onScalar((text, argument) => {
    const at = text.lastIndexOf(argument);
    return at === -1 ? text : text.slice(at + argument.length);
  }),
  /** ISO 8601 text, also with a blank for the T, nanoseconds, or no zone, which counts as UTC. */
  time: (value) => (typeof value === 'string' ? ofTime(parseTimeText(value)) : undefined),
  epochMs: onTimeNumber(parseEpochMs),
  epochSeconds: onTimeNumber(parseEpochSeconds),
  /** A number, also from its text. */
  number: (value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
    return { value: number, exact: typeof value === 'number' || String(number) === value };
  },
  /** Anything as its JSON text. */
  json: (value) => ({ value: JSON.stringify(value), exact: true }),
} as const satisfies Record<string, Apply>;

export type TransformName = keyof typeof transforms;
export const transformNames = Object.keys(transforms) as [TransformName, ...TransformName[]];
const withArgument: readonly TransformName[] = ['before', 'after', 'afterLast'];

/** Read `lowercase` or `before:.example.com`; a text says what is wrong. */
export function parseTransform(text: string): Transform | string {
  const colon = text.indexOf(':');
  const name = transformNames.find((known) => known === (colon === -1 ? text : text.slice(0, colon)));
  const argument = colon === -1 ? undefined : text.slice(colon + 1);
  if (name === undefined) {
    return `must be one of the transforms ${transformNames.join(', ')}, not ${JSON.stringify(text)}`;
  }
  if (withArgument.includes(name) !== Boolean(argument)) {
    return withArgument.includes(name) ? `must be ${name}:<text>` : `must be ${name} without an argument`;
  }
  return { name, argument };
}

/** The value after all steps; undefined as soon as one cannot work with it. */
export function applyTransforms(value: JsonValue, steps: readonly Transform[]): Transformed | undefined {
  let current: Transformed = { value, exact: true };
  for (const { name, argument = '' } of steps) {
    const apply: Apply = transforms[name];
    const next = apply(current.value, argument);
    if (next === undefined) return undefined;
    current = { value: next.value, exact: current.exact && next.exact };
  }
  return current;
}

/** The text of a scalar; undefined for null, lists and objects. */
export function scalarText(value: JsonValue): string | undefined {
  return value === null || typeof value === 'object' ? undefined : String(value);
}

function onScalar(change: (text: string, argument: string) => string): Apply {
  return (value, argument) => {
    const text = scalarText(value);
    if (text === undefined) return undefined;
    const changed = change(text, argument);
    return changed.trim() === '' ? undefined : { value: changed, exact: changed === text };
  };
}

function onTimeNumber(parse: (value: number | string) => ReadTime | undefined): Apply {
  return (value) =>
    typeof value === 'number' || typeof value === 'string' ? ofTime(parse(value)) : undefined;
}

function ofTime(time: ReadTime | undefined): Transformed | undefined {
  return time === undefined ? undefined : { value: time.iso, exact: time.exact };
}

// Words begin at a capital after a small letter or digit, and before the last of a run of capitals.
function toKey(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '_')
    .replace(/^[_-]+|[_-]+$/g, '');
}
