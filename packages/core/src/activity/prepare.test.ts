import { limits } from '@annals/contract';
import { v7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import { createIdMinter } from './activity-id.ts';
import { prepareActivity } from './prepare.ts';
import { minimal } from './testing.ts';

const now = new Date('2026-06-15T12:00:00.000Z');

function prepare(activity: unknown) {
  return prepareActivity(activity, { path: 'activities.0', tenantId: 't', now, mintId: createIdMinter() });
}

describe('refused, naming field and limit', () => {
  const cases: [name: string, activity: unknown, refusal: object][] = [
    ['no object', 5, { path: 'activities.0' }],
    ['null', null, { path: 'activities.0' }],
    ['a missing action', { actor: { type: 'user' } }, { path: 'activities.0.action' }],
    ['a bad actor type', { ...minimal, actor: { type: 'x' } }, { path: 'activities.0.actor.type' }],
    [
      'an unknown field',
      { ...minimal, foo: 1 },
      { path: 'activities.0.foo', message: 'is not a known field' },
    ],
    [
      'an unknown field inside',
      { ...minimal, actor: { type: 'user', name: 'x' } },
      { path: 'activities.0.actor.name' },
    ],
    [
      'an unknown kind',
      { ...minimal, kind: 'nope' },
      {
        path: 'activities.0.kind',
        message: 'must be one of activity, auth, data_access, data_change, api_call, external_call, system',
      },
    ],
    [
      'details of the plain kind',
      { ...minimal, details: {} },
      { path: 'activities.0.details', message: 'is not a known field' },
    ],
    [
      'details of another kind',
      { ...minimal, kind: 'auth', details: { mfa: 'yes' } },
      { path: 'activities.0.details.mfa' },
    ],
    [
      'too long a message',
      { ...minimal, message: 'x'.repeat(8_193) },
      { path: 'activities.0.message', message: 'must be at most 8192 characters', limit: 8_192 },
    ],
    ['too many tags', { ...minimal, tags: Array(33).fill('x') }, { path: 'activities.0.tags', limit: 32 }],
    ['U+0000', { ...minimal, message: 'a\0b' }, { path: 'activities.0.message' }],
    ['a lone surrogate', { ...minimal, metadata: { a: ['\ud800'] } }, { path: 'activities.0.metadata.a.0' }],
    [
      'an integer beyond 2^53',
      { ...minimal, metadata: { a: { b: 2 ** 60 } } },
      { path: 'activities.0.metadata.a.b' },
    ],
    [
      'no address',
      { ...minimal, context: { ip: '1.2.3' } },
      { path: 'activities.0.context.ip', message: 'must be an IPv4 or IPv6 address' },
    ],
    ['an ambiguous time', { ...minimal, occurredAt: '2026-01-01' }, { path: 'activities.0.occurredAt' }],
    ['no time', { ...minimal, occurredAt: new Date(Number.NaN) }, { path: 'activities.0.occurredAt' }],
    [
      'a time too far ahead',
      { ...minimal, occurredAt: new Date(now.getTime() + limits.clockSkewMsMax + 1) },
      { path: 'activities.0.occurredAt', limit: limits.clockSkewMsMax },
    ],
    [
      'an id too far ahead',
      { ...minimal, id: v7({ msecs: now.getTime() + limits.clockSkewMsMax + 1 }) },
      { path: 'activities.0.id', limit: limits.clockSkewMsMax },
    ],
    [
      'the largest id',
      { ...minimal, id: 'ffffffff-ffff-7fff-bfff-ffffffffffff' },
      { path: 'activities.0.id', limit: limits.clockSkewMsMax },
    ],
    [
      'a time before 1970',
      { ...minimal, occurredAt: '1969-12-31T23:59:59.999Z' },
      { path: 'activities.0.occurredAt' },
    ],
    ['an id of another version', { ...minimal, id: crypto.randomUUID() }, { path: 'activities.0.id' }],
    [
      'an id of another time',
      { ...minimal, id: v7({ msecs: 1_000 }), occurredAt: '2026-01-01T00:00:00Z' },
      { path: 'activities.0.id' },
    ],
    [
      'a key without a time',
      { ...minimal, idempotencyKey: 'k' },
      { path: 'activities.0.occurredAt', message: expect.stringContaining('idempotencyKey') },
    ],
    [
      'a key and an id',
      { ...minimal, idempotencyKey: 'k', id: v7({ msecs: 1_000 }) },
      { path: 'activities.0.idempotencyKey' },
    ],
    [
      'more than 64 KiB',
      { ...minimal, metadata: { a: 'ä'.repeat(limits.activityBytesMax / 2) } },
      { code: 'too_large', path: 'activities.0', limit: limits.activityBytesMax },
    ],
  ];

  test.each(cases)('%s', (_name, activity, refusal) => {
    expect(prepare(activity)).toEqual({
      refused: { status: 'refused', code: 'invalid_input', message: expect.any(String), ...refusal },
    });
  });
});

test.each([
  { ...minimal, occurredAt: new Date(now.getTime() + limits.clockSkewMsMax) },
  { ...minimal, occurredAt: '1970-01-01T00:00:00.000Z' },
  { ...minimal, id: '00000000-0000-7000-8000-000000000000' },
  { ...minimal, message: 'x'.repeat(limits.textLengthMax) },
])('the limits themselves are allowed', (activity) => {
  expect(prepare(activity)).toHaveProperty('activity');
});

test('what the caller changes afterwards does not reach the prepared activity', () => {
  const metadata = { list: [1] };
  const prepared = prepare({ ...minimal, metadata });
  metadata.list.push(2);
  expect(prepared).toMatchObject({ activity: { metadata: { list: [1] } } });
});
