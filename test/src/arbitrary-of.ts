import { redactableFields } from '@annals/contract';
import * as fc from 'fast-check';

/** The parts of JSON Schema that zod writes for the contract's inputs. */
export interface Schema {
  readonly type?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Text with what languages, databases and logs stumble over. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('', ' ', '\u0000', '\ud800', '%', '_', '\\', `'; drop table x; --`, '{"a":1}', '${x}', 'ﷺ'),
);

const query = fc.oneof(
  anyText,
  fc.constantFrom(
    'actor:alice action:invoice.* -outcome:success severity:>=warning since:7d',
    'metadata.plan:pro has:ip tag:a "free text"',
    'ip:10.0.0.0/8 metadata."odd key".x:5',
    'actor:',
    'since:yesterday until:2026-01-01',
    '((((',
    '"',
    '-'.repeat(1_000),
    'metadata.a.b.c.d.e.f.g.h.i.j:1',
  ),
);

const redactFields = fc.array(
  fc.oneof(fc.constantFrom(...redactableFields, 'metadata.plan', 'details."odd key".0'), anyText),
  { minLength: 1, maxLength: 3 },
);

// Few months, since each that holds a record is a partition.
const moment = fc.constantFrom(
  '2026-01-15T12:00:00.123Z',
  '2026-02-28T23:59:59+14:00',
  '1970-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999Z',
);

const day = fc.constantFrom('2026-02-28', '0000-02-29', '0001-01-01', '9999-12-31');

/** Of big objects a few properties at once, so that not every input has everything wrong with it. */
const optionalMax = 5;

/** Values that a JSON Schema describes; `tenantId` names a tenant that exists. */
export function arbitraryOf(schema: Schema, tenantId: string): fc.Arbitrary<unknown> {
  const of = (inner: Schema) => arbitraryOf(inner, tenantId);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return fc.oneof(...branches.map(of));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  switch (schema.type) {
    case 'object':
      return objectOf(schema, (name, inner) => {
        if (name === 'tenantId') return fc.constant(tenantId);
        if (name === 'query') return query;
        return name === 'fields' && inner.items?.enum === undefined ? redactFields : of(inner);
      });
    case 'array': {
      const { minItems = 0 } = schema;
      return fc.array(of(schema.items ?? {}), { minLength: minItems, maxLength: minItems + 2 });
    }
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? -1_000, max: Math.min(schema.maximum ?? 1_000, 1_000) });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function objectOf(
  { properties = {}, required = [] }: Schema,
  of: (name: string, schema: Schema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, of(name, schema)]),
  );
  const optional = Object.keys(properties).filter((name) => !required.includes(name));
  return fc
    .subarray(optional, { maxLength: Math.min(optional.length, optionalMax) })
    .chain((chosen) =>
      fc.record(Object.fromEntries([...required, ...chosen].map((name) => [name, values[name] ?? garbage]))),
    );
}

function textOf({ format, pattern, minLength = 0, maxLength }: Schema): fc.Arbitrary<string> {
  switch (format) {
    case 'date-time':
      return moment;
    case 'date':
      return day;
    case 'uuid':
      return fc.uuid({ version: [4, 7] });
    case 'ipv4':
      return fc.ipV4();
    case 'ipv6':
      return fc.ipV6();
    default:
  }
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  // At the limit, and one character beyond it.
  const edges = maxLength === undefined ? [] : ['x'.repeat(maxLength), 'é'.repeat(maxLength + 1)];
  return fc.oneof({ weight: 9, arbitrary: anyText }, fc.constantFrom('x'.repeat(minLength), ...edges));
}

/** What stands where something else was expected. */
export const garbage: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 0.5, 1e308, 2 ** 53, '', [], {}, [[]], [null], ['x'], { x: 1 }),
  fc.constantFrom<unknown>('9'.repeat(400), 'x'.repeat(20_000), Array(2_000).fill(null)),
  fc.constant(JSON.parse(`${'['.repeat(300)}${']'.repeat(300)}`) as unknown),
  fc.constant(JSON.parse('{"__proto__":{"x":1},"constructor":1,"toString":1,"length":-1}') as unknown),
  anyText,
  fc.jsonValue({ maxDepth: 2 }),
);

type Holder = Record<string, unknown>;

/** Values of an arbitrary in which one place holds something else, is missing, or is one too many. */
export function mutated(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const change = fc.constantFrom('replace', 'replace', 'remove', 'add');
  return fc.tuple(values, fc.nat(), change, garbage, anyText).map(([value, pick, how, other, name]) => {
    const root: Holder = { root: structuredClone(value) };
    const places = placesIn(root);
    const [holder, key] = places[pick % places.length] ?? [root, 'root'];
    if (how === 'replace') holder[key] = other;
    else if (how === 'remove') delete holder[key];
    else holder[name] = other;
    return root['root'];
  });
}

/** Every place within a value, as what holds it and its key there. */
function placesIn(holder: Holder): [Holder, string][] {
  return Object.entries(holder).flatMap(([key, value]): [Holder, string][] => [
    [holder, key],
    ...(typeof value === 'object' && value !== null ? placesIn(value as Holder) : []),
  ]);
}
