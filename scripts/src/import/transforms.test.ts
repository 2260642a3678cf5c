import { actionKey } from '@annals/contract';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyTransforms, parseTransform, type Transform } from './transforms.ts';

const steps = (...names: string[]) => names.map((name) => parseTransform(name) as Transform);
const apply = (value: string | number | boolean | null, ...names: string[]) =>
  applyTransforms(value, steps(...names))?.value;

test.each([
  ['PutBucketPolicy', 'put_bucket_policy'],
  ['ModifyDBInstance', 'modify_db_instance'],
  ['UpdateFunctionCode20150331v2', 'update_function_code20150331v2'],
  ['CHANGE_EMAIL_SETTING', 'change_email_setting'],
  ['2sv_enroll', '2sv_enroll'],
  ['suspicious_login ', 'suspicious_login'],
  ['URL Pattern', 'url_pattern'],
])('%s becomes the key %s', (text, key) => {
  expect(apply(text, 'key')).toBe(key);
});

test('what key and action yield is an action, or nothing', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.constantFrom('key', 'action'), (text, name) => {
      const key = apply(text, name);
      if (key !== undefined) expect(actionKey.safeParse(key).success).toBe(true);
    }),
  );
});

test('parts of a text are taken before, after and after the last of another', () => {
  expect(apply('s3.amazonaws.com', 'before:.amazonaws.com')).toBe('s3');
  expect(apply('s3', 'before:.amazonaws.com')).toBe('s3');
  expect(apply('arn:role/a/b', 'after:/')).toBe('a/b');
  expect(apply('arn:role/a/b', 'afterLast:/')).toBe('b');
  expect(apply('none', 'after:/')).toBe('none');
});

test('a step that cannot work with a value yields nothing', () => {
  expect(apply(null, 'lowercase')).toBeUndefined();
  expect(apply('soon', 'time')).toBeUndefined();
  expect(apply(5, 'time')).toBeUndefined();
  expect(apply('many', 'number')).toBeUndefined();
  expect(apply('', 'number')).toBeUndefined();
  expect(apply('日本', 'key')).toBeUndefined();
});

const exact = (value: string | number, ...names: string[]) => applyTransforms(value, steps(...names))?.exact;

test('a value counts as kept only where nothing was lost', () => {
  expect(exact('abc', 'lowercase')).toBe(true);
  expect(exact('Abc', 'lowercase')).toBe(false);
  expect(exact('2024-01-01 00:00:00', 'time')).toBe(true);
  expect(exact('2024-01-01 00:00:00.000000001', 'time')).toBe(false);
  expect(exact('12', 'number')).toBe(true);
  expect(exact('12.0', 'number')).toBe(false);
});

test('a wrong transform is named, with those there are', () => {
  expect(parseTransform('upper')).toMatch(/^must be one of the transforms text, lowercase, .*not "upper"$/);
  expect(parseTransform('before')).toBe('must be before:<text>');
  expect(parseTransform('lowercase:x')).toBe('must be lowercase without an argument');
});
