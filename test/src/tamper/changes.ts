import type { Column } from './catalogue.ts';

/** What a column can be set to, by what that is called; `t` is its row. */
export type Changes = Readonly<Record<string, string>>;

const numbers = (c: string): Changes => ({
  'raised by one': `${c} + 1`,
  'lowered by one': `${c} - 1`,
});
const flip = (bytes: string, at: string) => `set_byte(${bytes}, ${at}, get_byte(${bytes}, ${at}) # 1)`;

/** By the type's name; what a type is not listed here nobody has thought about. */
const changesByType: Readonly<Record<string, (c: string) => Changes>> = {
  text: (c) => ({ changed: `${c} || 'x'` }),
  bool: (c) => ({ inverted: `not ${c}` }),
  uuid: (c) => ({ changed: `md5(${c}::text)::uuid` }),
  int4: numbers,
  int8: numbers,
  timestamptz: (c) => ({
    'moved on by a second': `${c} + interval '1 second'`,
    'moved on by a year': `${c} + interval '1 year'`,
  }),
  jsonb: (c) => ({
    'given another value': `jsonb_set(${c}, array[(select min(k) from jsonb_object_keys(${c}) as k)], '"x"')`,
    'given a key': `${c} || '{"x": 1}'`,
    'robbed of a key': `${c} - (select min(k) from jsonb_object_keys(${c}) as k)`,
  }),
  bytea: (c) => ({
    'changed in its first byte': flip(c, '0'),
    'changed in its last byte': flip(c, `length(${c}) - 1`),
    'cut off': `substring(${c} for length(${c}) - 1)`,
  }),
  _text: (c) => ({ lengthened: `${c} || array['x']`, 'cut off': `${c}[2:]` }),
  _bytea: (c) => ({
    'changed in its first byte': `array[${flip(`${c}[1]`, '0')}] || ${c}[2:]`,
    'cut off': `${c}[2:]`,
  }),
  int4multirange: (c) => ({
    widened: `${c} + int4multirange(int4range(upper(${c}), upper(${c}) + 1))`,
    narrowed: `${c} - int4multirange(int4range(lower(${c}), lower(${c}) + 1))`,
  }),
};

const fillByType: Readonly<Record<string, string>> = {
  text: `'x'`,
  uuid: `md5('x')::uuid`,
  int4: '1',
  int8: '1',
  timestamptz: `timestamptz '2026-06-01'`,
  jsonb: `'{"x": 1}'`,
  bytea: `sha256('x')`,
  _text: `array['x']`,
};

/** What the value of a column can be changed to, where it has one. */
export function changesOf({ table, name, type }: Column): Changes {
  const column = `t.${name}`;
  if (type.startsWith('activity_')) {
    const first = `enum_first(null::annals.${type})`;
    return { changed: `case when ${column} = ${first} then enum_last(${column}) else ${first} end` };
  }
  const changes = changesByType[type];
  if (!changes) throw new Error(`no change is known for ${table}.${name}, a ${type}`);
  return changes(column);
}

/** What a column can be set to that has no value. */
export function fillOf({ table, name, type }: Column): string {
  if (type.startsWith('activity_')) return `enum_first(null::annals.${type})`;
  const fill = fillByType[type];
  if (fill === undefined) throw new Error(`no value is known for ${table}.${name}, a ${type}`);
  return fill;
}
