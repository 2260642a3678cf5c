import type { JsonObject, JsonValue } from '@annals/contract';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ActivityRow } from '../activity/row.ts';
import { anonymizeRow } from './anonymize-row.ts';
import { erasableColumns, vocabularyColumns } from './erasure.ts';
import { createPerson } from './person.ts';
import { placesOf } from './row-texts.ts';

const person = createPerson({ ids: ['user_ada', '7'], identifiers: ['ada@x.com', 'Ada Lovelace'] });

const text = fc.oneof(
  fc.constantFrom(
    'user_ada',
    '7',
    'x:user_ada',
    'ADA@x.com',
    'ada%40x.com',
    'by Ada  Lovelace',
    '{"a":"ada@x.com"}',
  ),
  fc.constantFrom('user_adam', '77', 'canada@x.com', 'Ada', 'metadata', ''),
  fc.string({ maxLength: 6 }),
);
const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.constantFrom(7, 1.5, true, null),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(text, tie('json'), { maxKeys: 3 }),
  ),
}));
const object = fc.dictionary(text, json, { maxKeys: 4 }) as fc.Arbitrary<JsonObject>;
const columns = [...erasableColumns, ...vocabularyColumns].map(({ column }) => column);

const row: fc.Arbitrary<ActivityRow> = fc
  .record({
    texts: fc.array(fc.option(text), { minLength: columns.length, maxLength: columns.length }),
    tags: fc.array(text, { maxLength: 3 }),
    metadata: object,
    details: fc.option(object),
  })
  .map(({ texts, ...rest }) => ({
    ...Object.fromEntries(columns.map((column, at) => [column, texts[at]])),
    ...rest,
    tenant_id: 't',
    occurred_ms: 0,
    recorded_ms: 0,
    erased: null,
  }));

test.each([undefined, 'p_0123456789'])(
  'nothing of the person is left but in vocabulary; pseudonym %j',
  (pseudonym) => {
    fc.assert(
      fc.property(row, (before) => {
        const erasure = anonymizeRow(before, { person, pseudonym });
        const after = { ...before, ...erasure?.values } as ActivityRow;
        const left = placesOf(after, person).filter((place) => !['action', 'target.type'].includes(place));
        expect(left).toEqual([]);
        expect(anonymizeRow(after, { person, pseudonym })).toBeUndefined();
        // What is not named is as it was.
        for (const { column, name } of erasableColumns) {
          if (!erasure?.names.includes(name)) expect(after[column]).toBe(before[column]);
        }
        if (erasure === undefined) expect(after).toEqual(before);
      }),
    );
  },
);
