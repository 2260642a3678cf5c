import * as fc from 'fast-check';
import { severities } from '../activity/vocabulary.ts';
import { isStorableText } from '../text.ts';
import { type FilterField, filterFieldNames, filterFields, pathRoots, presenceFields } from './fields.ts';
import { Filter } from './schema.ts';

/** Text that has everything the query language gives a meaning to. */
const anyText = fc
  .oneof(
    fc.string({
      unit: fc.constantFrom(...Array.from('ab-:."\\*>=<|(), \t\n\u00a0\u2003\ufeffé😀')),
      maxLength: 12,
    }),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(
      'AND',
      'OR',
      'NOT',
      '-',
      '--',
      '>=warning',
      'metadata.x',
      'has',
      '__proto__',
      'constructor',
      '7d',
    ),
  )
  .filter(isStorableText);

const word = anyText.filter((value) => value.trim() !== '');

const valueByKind = {
  text: () => word,
  enum: (field: FilterField) => fc.constantFrom(...(field.values ?? [])),
  action: () => fc.constantFrom('invoice.voided', 'user_login', 'invoice.*', 'a.b-c.d_e', '0.*'),
  ip: () =>
    fc.oneof(
      fc.ipV4(),
      fc.ipV6().filter((ip) => !ip.includes('.')),
      fc.constantFrom('10.0.0.0/8', '2001:db8::/32', '::/0', '2001:DB8::1'),
    ),
  uuid: () => fc.uuid(),
} as const;

function lists(names: readonly string[], value: fc.Arbitrary<unknown>) {
  return fc.record(Object.fromEntries(names.map((name) => [name, fc.array(value, { maxLength: 3 })])), {
    requiredKeys: [],
  });
}

const moment = fc.date({
  min: new Date('0001-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});
const day = moment.map((date) => new Date(Math.ceil(date.getTime() / 86_400_000) * 86_400_000));
const path = fc.array(anyText, { minLength: 1, maxLength: 3 });
const pathFilters = fc.uniqueArray(
  fc.tuple(path, lists(['any', 'none'], anyText)).map(([path, values]) => ({ path, ...values })),
  { maxLength: 3, selector: (filter) => JSON.stringify(filter.path) },
);
const presence = fc.oneof(
  fc.record({ field: fc.constantFrom(...presenceFields) }),
  fc.record({ root: fc.constantFrom(...pathRoots), path }),
);

const fields = Object.fromEntries(
  filterFieldNames.map((name) => {
    const field: FilterField = filterFields[name];
    return [name, lists(['any', 'none'], valueByKind[field.kind](field))];
  }),
);

/** Valid filters in their canonical form, for tests only. */
export const filterArbitrary: fc.Arbitrary<Filter> = fc
  .record(
    {
      from: fc.oneof(moment, day),
      to: fc.oneof(moment, day),
      recordedFrom: moment,
      recordedTo: moment,
      ...fields,
      severityAtLeast: fc.constantFrom(...severities),
      tag: lists(['any', 'all', 'none'], word),
      metadata: pathFilters,
      details: pathFilters,
      has: lists(['all', 'none'], presence),
      text: lists(['all', 'none'], word),
    },
    { requiredKeys: [] },
  )
  .map((input) => Filter.safeParse(input).data)
  .filter((filter) => filter !== undefined);
