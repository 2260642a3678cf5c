import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { attempt, reasonOf } from './testing.ts';
import { TlogError } from './tlog-error.ts';

test('bytes of any length round-trip, in the text that everybody writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
      const text = encodeBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString('base64'));
      expect(decodeBase64(text)).toEqual(bytes);
    }),
  );
});

test('any other text is refused, so that one value has one text', () => {
  const text = fc
    .array(fc.constantFrom(...'AQgwZ59+/=-_ \n\u00e9'.split('')), { maxLength: 9 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(text, (text) => {
      const bytes = attempt(() => decodeBase64(text));
      if (!(bytes instanceof TlogError)) expect(encodeBase64(bytes)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
  for (const refused of ['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA=A', '====', 'AAA=AAAA', 'AAAA\n', ' AAAA']) {
    expect(
      reasonOf(() => decodeBase64(refused)),
      refused,
    ).toBe('bad_base64');
  }
});
