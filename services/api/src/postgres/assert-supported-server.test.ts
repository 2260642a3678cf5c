import { expect, test } from 'vitest';
import { assertSupportedServer } from './assert-supported-server.ts';

test.each(['15.0', '15.18 (Debian 15.18-0+deb12u1)', '18.4', '19beta1', '100.1'])(
  'PostgreSQL %s is accepted',
  (version) => {
    expect(() => assertSupportedServer(version)).not.toThrow();
  },
);

test('an old server is refused by name', () => {
  const sentence = 'PostgreSQL 14.9 is not supported; Annals needs 15 or later.';
  expect(() => assertSupportedServer('14.9')).toThrow(sentence);
  expect(() => assertSupportedServer(' 14.9 (Ubuntu 14.9-1.pgdg)')).toThrow(sentence);
  expect(() => assertSupportedServer('9.6.24')).toThrow('PostgreSQL 9.6.24 is not supported');
});

test('a version that cannot be read is refused', () => {
  expect(() => assertSupportedServer('unknown')).toThrow(/"unknown"; Annals needs PostgreSQL 15 or later/);
});
