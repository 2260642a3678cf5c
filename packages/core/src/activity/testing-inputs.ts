import { actorTypes, kinds, limits, operations, outcomes, severities, visibilities } from '@annals/contract';
import * as fc from 'fast-check';

/** Texts of these characters. */
const of = (characters: string, lengths: fc.StringConstraints) =>
  fc.string({ unit: fc.constantFrom(...Array.from(characters)), ...lengths });

/** As JSON.parse and literals make them. */
const plain = { noNullPrototype: true } as const;

const goodText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `x${text}`),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => ` ${text}é `),
  fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 10 }).map((text) => `"\\${text}\t\u001f.`),
);
/** Of any characters, with space around, at the limits. */
const oddText = (lengthMax: number) =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.constantFrom('', ' ', '\u00a0x\ufeff', '\ud800', 'a\u0000', 'a\u0000 '),
    fc.constantFrom(
      ...['x', 'ä', '😀', '\u0001'].flatMap((unit) =>
        [lengthMax, lengthMax + 1, lengthMax / 2].map((length) => unit.repeat(length)),
      ),
    ),
  );

const word = of('abz09_-', { maxLength: 8 }).map((text) => `a${text}`);
const goodAction = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
const oddAction = fc.oneof(
  of('aA0_-. ', { maxLength: 8 }),
  fc.constantFrom(' invoice.voided ', 'a..b', 'a.', 'x'.repeat(128), 'x'.repeat(129)),
);

const hex = (digits: number) => of('0123456789abcdef', { minLength: digits, maxLength: digits });
const goodId = fc.uuid({ version: 7 });
const oddId = fc.oneof(
  fc.uuid(),
  fc.uuid({ version: 7 }).map((id) => id.toUpperCase()),
  fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map((parts) => parts.join('-')),
);

const someDate = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const goodMoment = fc.oneof(
  someDate,
  someDate.map((date) => date.toISOString()),
);
const oddMoment = fc.oneof(
  fc.date(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  someDate.map((date) => date.toISOString().replace('.', ',')),
  fc.constantFrom('2026-01-31T12:00:00Z', '2026-02-29T12:00:00.000Z', '2024-02-29T12:00:00.000Z'),
  fc.constantFrom('0000-01-01T00:00:00.000Z', '2026-01-31T24:00:00.000Z', '2026-01-31T12:00:00.000+01:00'),
  fc.constantFrom('+10000-01-01T00:00:00Z', '2026-13-01T00:00:00.000Z', '2026-01-31t12:00:00.000z'),
  fc.constantFrom('2026-01-31', '2026-01-31 12:00:00.000Z', '2026-06-30T23:59:60.000Z'),
);

const goodIp = fc.oneof(
  fc.ipV4(),
  fc.array(hex(4), { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
);
const oddIp = fc.oneof(
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.ipV6().map((address) => address.toUpperCase()),
  of('012f:.', { maxLength: 20 }),
  fc.array(fc.constantFrom('', '0', 'ff', '00ff'), { maxLength: 9 }).map((groups) => groups.join(':')),
  fc.constantFrom(
    '::ffff:192.0.2.1',
    '::',
    '::1',
    '1::',
    ':::',
    'fe80::1%eth0',
    '1.2.3',
    '01.2.3.4',
    '1.2.3.4.',
  ),
);

const goodLeaf = fc.oneof(
  goodText,
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, -0, 0.1, 1e-7, 2 ** 53 - 1),
);
const oddLeaf = fc.oneof(
  oddText(40),
  fc.double(),
  fc.constantFrom(2 ** 53, -(2 ** 53), 1e21, 5e-324, Number.MAX_VALUE),
);
const goodKey = fc.oneof(word, fc.constantFrom('constructor', 'toJSON', '1', ''));
const oddKey = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'k'.repeat(256), 'k'.repeat(257)),
);

function json(key: fc.Arbitrary<string>, leaf: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  return fc.letrec<{ any: unknown; object: object }>((tie) => ({
    any: fc.oneof({ weight: 5, arbitrary: leaf }, tie('object'), fc.array(tie('any'), { maxLength: 4 })),
    object: fc
      .array(fc.tuple(key, tie('any')), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries)),
  })).object;
}

/** Around the limits of depth and of keys. */
const largeJson = fc.oneof(
  fc.integer({ min: 6, max: 10 }).map((depth) => nested(depth, {})),
  fc.integer({ min: 6, max: 10 }).map((depth) => nested(depth, [])),
  fc.integer({ min: 254, max: 258 }).map((keys) => flat(keys)),
  fc.integer({ min: 126, max: 129 }).map((keys) => ({ a: flat(keys), b: [flat(keys)] })),
);

function nested(depth: number, inmost: object): object {
  return depth === 1 ? inmost : { a: nested(depth - 1, inmost) };
}

function flat(keys: number): object {
  return Object.fromEntries(Array.from({ length: keys }, (_, at) => [`k${at}`, at]));
}

const goodJson = json(goodKey, goodLeaf);
const oddJson = fc.oneof(json(goodKey, oddLeaf), json(oddKey, goodLeaf), largeJson);
const number = fc.oneof(fc.nat({ max: 999 }), fc.constantFrom(0.5, -1, Number.NaN));

/** Of a kind each. */
const details = fc.oneof(
  fc.record({ method: goodText, mfa: fc.boolean() }, { requiredKeys: [], ...plain }),
  fc.record({ resource: goodText, before: goodJson, changedFields: fc.array(goodText) }, plain),
  fc.record({ resource: goodText, query: goodJson, rowCount: number }, plain),
  fc.record({ method: goodText, path: goodText, statusCode: number }, plain),
  fc.record({ service: goodText, durationMs: number }, plain),
  fc.record({ component: goodText, stackTrace: goodText }, plain),
);

/** Valid values of each field, and values about which the schema may think twice. */
const fields = {
  id: [goodId, oddId],
  idempotencyKey: [goodText, oddText(limits.idLengthMax)],
  scopeId: [goodText, oddText(limits.idLengthMax)],
  action: [goodAction, oddAction],
  kind: [fc.constant('activity'), fc.constantFrom(...kinds)],
  operation: [fc.constantFrom(...operations), fc.constant('')],
  severity: [fc.constantFrom(...severities), fc.constant(undefined)],
  outcome: [fc.constantFrom(...outcomes), fc.constant('SUCCESS')],
  visibility: [fc.constantFrom(...visibilities), fc.constant(undefined)],
  occurredAt: [goodMoment, oddMoment],
  actor: [
    fc.record({ type: fc.constantFrom(...actorTypes), id: goodText }, { requiredKeys: ['type'], ...plain }),
    fc.record({ type: fc.constantFrom(...actorTypes), label: oddText(limits.labelLengthMax) }),
  ],
  subject: [fc.record({ id: goodText }, plain), fc.record({ id: oddText(limits.idLengthMax) }, plain)],
  target: [
    fc.record({ type: goodText, id: goodText, label: goodText }, { requiredKeys: ['type', 'id'], ...plain }),
    fc.record({ type: oddText(limits.keywordLengthMax), id: oddText(limits.idLengthMax) }, plain),
  ],
  channel: [goodText, oddText(limits.keywordLengthMax)],
  source: [goodText, oddText(limits.labelLengthMax)],
  message: [goodText, oddText(limits.textLengthMax)],
  reason: [goodText, oddText(limits.textLengthMax)],
  context: [
    fc.record({ ip: goodIp, userAgent: goodText, requestId: goodText }, { requiredKeys: [], ...plain }),
    fc.record({ ip: oddIp, traceId: oddText(limits.idLengthMax) }, { requiredKeys: [], ...plain }),
  ],
  tags: [fc.array(goodText, { maxLength: 6 }), fc.array(oddText(limits.tagLengthMax), { maxLength: 4 })],
  metadata: [goodJson, oddJson],
  details: [details, fc.constantFrom({}, undefined)],
} as const satisfies Record<string, readonly [fc.Arbitrary<unknown>, fc.Arbitrary<unknown>]>;

const names = Object.keys(fields) as (keyof typeof fields)[];
const good = Object.fromEntries(names.map((name) => [name, fields[name][0] as fc.Arbitrary<unknown>]));
const { id: _id, idempotencyKey: _key, details: _details, ...goodWhole } = good;

/** For tests: valid inputs of the plain kind, without an id. */
export const validInput: fc.Arbitrary<Record<string, unknown>> = fc.record(goodWhole, {
  requiredKeys: ['action', 'actor'],
  ...plain,
});

/** For tests: valid inputs of which up to two fields were replaced by others that are right, or nearly. */
export const nearlyValidInput: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(
    validInput,
    fc.array(
      fc.constantFrom(...names).chain((name) => {
        const [valid, odd] = fields[name] as readonly fc.Arbitrary<unknown>[];
        return fc.tuple(fc.constant(name), fc.oneof(valid as never, odd as never));
      }),
      { maxLength: 2 },
    ),
  )
  .map(([input, changes]) => ({ ...input, ...Object.fromEntries(changes) }));

class Unexpected {
  type = 'user';
}

/** What no input should hold, made anew each time. */
const hostileValues: readonly (() => unknown)[] = [
  ...[undefined, null, true, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1n, Symbol('s')].map(
    (value) => () => value,
  ),
  ...['', ' ', 'a\u0000b', '\ud800', 'x'.repeat(70_000), '\u0001'.repeat(8_192)].map((value) => () => value),
  () => () => 1,
  () => new Date(Number.NaN),
  () => new Date(8_640_000_000_000_000),
  () => new Map([['type', 'user']]),
  () => new Unexpected(),
  () => Object.assign(Object.create(null), { type: 'user' }),
  () => Object.create({ type: 'user' }),
  () => JSON.parse('{"__proto__": {"type": "user"}}'),
  () => ({ type: 'user', [Symbol('s')]: 1 }),
  () => ({ type: 'user', toJSON: 'no' }),
  () => ({ toJSON: () => 'no' }),
  () => ({
    get type() {
      throw new Error('hostile');
    },
  }),
  () => Object.freeze({ type: 'user' }),
  () => Object.defineProperty({}, 'hidden', { value: 1, enumerable: false }),
  () => Object('user'),
  () => Array(3),
  () => Array.from({ length: 33 }, (_, at) => `t${at}`),
  () => Array.from({ length: 40 }, () => 'same'),
  () => ['a', ' a', undefined],
  () => new Uint8Array(2),
  () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    return circle;
  },
];

/** Where a value can be put: at the root, or inside a part. */
const places = ['', 'actor', 'target', 'subject', 'context', 'metadata', 'details', 'tags'] as const;

interface Change {
  readonly place: (typeof places)[number];
  /** A key, or the number of one that is there. */
  readonly key: string | number;
  readonly value: 'remove' | (() => unknown);
}

const change: fc.Arbitrary<Change> = fc.record({
  place: fc.constantFrom(...places),
  key: fc.oneof(fc.nat({ max: 30 }), fc.constantFrom('extra', 'type', 'id', 'details', '__proto__')),
  value: fc.constantFrom(...hostileValues, 'remove' as const),
});

/** For tests: inputs of which a value or two were replaced, added or removed by what no input should hold. */
export const hostileInput: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...hostileValues).map((make) => make()) },
  {
    weight: 9,
    arbitrary: fc
      .tuple(nearlyValidInput, fc.array(change, { minLength: 1, maxLength: 2 }))
      .map(([input, changes]) => changes.reduce<object>(spoil, input)),
  },
);

function spoil(input: object, { place, key, value }: Change): object {
  const inside: unknown = place === '' ? input : (input as Record<string, unknown>)[place];
  if (typeof inside !== 'object' || inside === null || !Object.isExtensible(inside)) return input;
  const keys = Object.keys(inside);
  const name = typeof key === 'string' ? key : (keys[key % Math.max(1, keys.length)] ?? 'extra');
  if (value === 'remove') Reflect.deleteProperty(inside, name);
  else {
    const settings = { value: value(), enumerable: true, writable: true, configurable: true };
    Reflect.defineProperty(inside, name, settings);
  }
  return input;
}
