import * as fc from 'fast-check';
import { platform } from '#platform';
import { encodeText } from '../text.ts';
import { saltBytes } from './commitment.ts';
import type { Json, JsonMap, LoggedRecord } from './record.ts';

export const wholeRecord: LoggedRecord = {
  id: '019756b0-0000-7000-8000-000000000001',
  recordedAt: new Date('2026-06-15T12:00:00.000Z'),
  action: 'invoice.voided',
  kind: 'data_change',
  severity: 'info',
  outcome: 'success',
  visibility: 'internal',
  actor: { type: 'user', id: 'u1', label: 'Alice' },
  target: { type: 'invoice', id: 'i1' },
  message: 'voided',
  tags: ['a', 'b'],
  metadata: { plan: 'pro', user: { email: 'alice@example.com' }, n: 1 },
  details: { resource: 'invoice' },
};

/** Texts of any characters, and of lengths at which a message takes another block. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\ufeffmark', '"\\/\u0000\u001f\u007f', '\u{1f602}'.repeat(40), 'é'.repeat(70)),
  fc.integer({ min: 10, max: 140 }).map((length) => 'x'.repeat(length)),
);

const key = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'constructor', 'toJSON', '1', ''),
);
const json = fc.oneof(
  text,
  fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 3 }) as fc.Arbitrary<Json>,
  fc.constantFrom<Json>(null, -0, 1e21, 5e-324, { __proto__: null, b: 1, a: [{}] }),
);

export const jsonMap: fc.Arbitrary<JsonMap> = fc
  .array(fc.tuple(key, json), { maxLength: 8 })
  .map((entries) => Object.fromEntries(entries));

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const maybe = optional(text);

/** Records as they are read: of all that the type allows. */
export const anyRecord: fc.Arbitrary<LoggedRecord> = fc.record({
  id: fc.uuid(),
  recordedAt: fc.date({ min: new Date(0), max: new Date(8_640_000_000_000_000), noInvalidDate: true }),
  action: text,
  kind: text,
  operation: maybe,
  severity: text,
  outcome: text,
  visibility: text,
  scopeId: maybe,
  actor: fc.record({ type: text, id: maybe, label: maybe }),
  subject: optional(fc.record({ id: maybe })),
  target: optional(fc.record({ type: text, id: maybe, label: maybe })),
  channel: maybe,
  source: maybe,
  message: maybe,
  reason: maybe,
  context: optional(
    fc.record({
      ip: maybe,
      userAgent: maybe,
      requestId: maybe,
      sessionId: maybe,
      traceId: maybe,
      spanId: maybe,
    }),
  ),
  tags: fc.array(text, { maxLength: 4 }),
  metadata: jsonMap,
  details: optional(jsonMap),
  own: optional(fc.boolean()),
});

/** Seeds and salts as random as real ones, so that none is found in other bytes by chance. */
export const anySeed: fc.Arbitrary<Uint8Array> = fc.nat().map((number) => hashed(`seed ${number}`));
export const anySalt: fc.Arbitrary<Uint8Array> = fc.nat().map((number) => hashed(`salt ${number}`));

function hashed(text: string): Uint8Array {
  return platform.sha256(encodeText(text)).slice(0, saltBytes);
}

/** What an erasure makes of each value of a record, by turns: it stays, goes, or something takes its place. */
export const cuts: fc.Arbitrary<readonly Cut[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.constant<Cut>('keep') }, fc.constantFrom<Cut>('drop', 'replace')),
  { minLength: 1, maxLength: 40 },
);
export type Cut = 'keep' | 'drop' | 'replace';

/** A record with some of its values erased, wholly or in part. */
export function cutRecord(record: LoggedRecord, plan: readonly Cut[]): LoggedRecord {
  let turn = 0;
  const next = () => plan[turn++ % plan.length] as Cut;
  const names: string[] = [...(record.erased ?? [])];
  const cutText = (name: string, value: string | undefined) => {
    if (value === undefined) return undefined;
    const cut = next();
    if (cut === 'keep') return value;
    names.push(name);
    return cut === 'drop' ? undefined : `p_${turn}`;
  };
  const cutTexts = <T extends object>(prefix: string, object: T): T =>
    Object.fromEntries(
      Object.entries(object).map(([name, value]) => [
        name,
        name === 'type' ? value : cutText(`${prefix}.${name}`, value as string | undefined),
      ]),
    ) as T;
  const cutKeys = (name: string, object: JsonMap): JsonMap =>
    Object.fromEntries(
      Object.entries(object).flatMap(([key, value]) => {
        const cut = next();
        if (cut === 'keep') return [[key, value]];
        names.push(`${name}.*`);
        return cut === 'drop' ? [] : [[key, [null, turn]]];
      }),
    );
  const { subject, target, context, details } = record;
  const after = {
    ...record,
    actor: cutTexts('actor', record.actor),
    ...(subject && { subject: cutTexts('subject', subject) }),
    ...(target && { target: cutTexts('target', target) }),
    ...(context && { context: cutTexts('context', context) }),
    message: cutText('message', record.message),
    scopeId: cutText('scopeId', record.scopeId),
    tags: record.tags.filter(() => next() === 'keep'),
    metadata: cutKeys('metadata', record.metadata),
    ...(details && { details: cutKeys('details', details) }),
  };
  return { ...after, erased: names };
}
