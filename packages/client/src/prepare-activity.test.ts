import type { ActivityInput } from '@annals/contract';
import { anActivity } from '@annals/testkit';
import { expect, test } from 'vitest';
import { prepareActivity } from './prepare-activity.ts';

const said: ActivityInput = { action: 'hello.said', actor: { type: 'user', id: 'ada' } };

function prepared(activity: unknown): Record<string, unknown> {
  const result = prepareActivity(activity as ActivityInput, 'activities.0');
  if ('status' in result) throw new Error(result.message);
  expect(result.bytes).toBe(Buffer.byteLength(result.json));
  return JSON.parse(result.json) as Record<string, unknown>;
}

const timeOf = (id: unknown) => Number.parseInt((id as string).replace('-', '').slice(0, 12), 16);

test.each([
  ['none', said, undefined],
  ['an undefined one', { ...said, id: undefined, occurredAt: undefined }, undefined],
  ['a date', { ...said, occurredAt: new Date(5) }, '1970-01-01T00:00:00.005Z'],
  ['a text', { ...said, occurredAt: '1970-01-01T00:00:00Z' }, '1970-01-01T00:00:00Z'],
  [
    'what makes a text of itself',
    { ...said, occurredAt: { toJSON: () => new Date(7).toJSON() } },
    new Date(7).toJSON(),
  ],
  ['no other field', {}, undefined],
])('the time of the id is that of the activity, of which it has %s', (_name, activity, time) => {
  const { id, occurredAt } = prepared(activity);
  if (time !== undefined) expect(occurredAt).toBe(time);
  expect(timeOf(id)).toBe(Date.parse(occurredAt as string));
});

test('an object that makes JSON of itself, or has getters, is asked once', () => {
  let asked = 0;
  class Said {
    toJSON() {
      asked += 1;
      return { ...said, occurredAt: new Date(asked).toJSON() };
    }
  }
  const made = prepared(new Said());
  expect([timeOf(made['id']), made['occurredAt']]).toEqual([
    Date.parse(made['occurredAt'] as string),
    expect.any(String),
  ]);
  let time = 0;
  const changing = {
    ...said,
    get occurredAt() {
      return new Date((time += 1_000));
    },
  };
  const { id, occurredAt } = prepared(changing);
  expect(timeOf(id)).toBe(Date.parse(occurredAt as string));
});

test.each([
  ['an id', { ...anActivity() }],
  ['an id that is none', { ...said, id: null }],
  ['an idempotency key', { ...said, idempotencyKey: 'k', occurredAt: '1970-01-01T00:00:00Z' }],
  ['a time that no id has', { ...said, occurredAt: '1969-01-01T00:00:00Z' }],
  ['no time', { ...said, occurredAt: 'yesterday' }],
  ['no fields', [1]],
  ['no object', 'x'],
  ['nothing', null],
])('with %s it is sent as it is', (_name, activity) => {
  expect(prepared(activity)).toEqual(JSON.parse(JSON.stringify(activity)));
});
