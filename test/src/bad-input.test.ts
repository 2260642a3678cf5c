import { ActivityInput, errorCodes, type ProcedureName, procedures } from '@annals/contract';
import { sequenceAll, signCheckpoint } from '@annals/core/testing';
import {
  type Answer,
  answerOf,
  openTestServer,
  procedureNames,
  type TestServer,
} from '@annals/server/testing';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { anyText, arbitraryOf, garbage, mutated, type Schema } from './arbitrary-of.ts';

let server: TestServer;
let superuser: Client;
let key: string;
let logKey: string;
/** What the tenant of `logKey` holds that no call of this file has logged. */
let given: string[];
const logged: string[] = [];

beforeAll(async () => {
  server = await openTestServer();
  superuser = new Client({ connectionString: server.core.url });
  await superuser.connect();
  key = await server.key({ tenantId: 'fuzz' });
  logKey = await server.key({ tenantId: 'fuzz-log' });
  given = await storedIds();
  // With a log to ask about.
  await sequenceAll(server.core, 'fuzz');
  await signCheckpoint(server.core, 'fuzz');
});
afterAll(async () => {
  await superuser.end();
  await server.close();
});

async function storedIds(): Promise<string[]> {
  const { rows } = await superuser.query<{ id: string }>(
    `select id from annals.activity where tenant_id = 'fuzz-log' order by id`,
  );
  return rows.map(({ id }) => id);
}

/** What every answer must be, whatever was asked: a result of the contract, or one of its errors. */
function expectSane(answer: Answer, name?: ProcedureName): void {
  expect(answer.status, answer.text).toBeLessThan(500);
  // An event stream says within what went wrong.
  const [, code] = /"annals":\{"code":"(\w+)"/.exec(answer.text) ?? [];
  if (code !== undefined) {
    expect(errorCodes).toContain(code);
    expect(code).not.toBe('internal');
    expect(answer.text).not.toMatch(/"stack"|node_modules|\.ts:\d/);
  } else if (name && answer.status === 200 && answer.data !== undefined) {
    expect(procedures[name].output.safeParse(answer.data).error?.issues).toBeUndefined();
  }
}

/** Ask with an input as JSON, and note what was stored. */
async function ask(name: ProcedureName, json: unknown, meta?: unknown): Promise<Answer> {
  const body = JSON.stringify({ json, meta });
  const answer = await server.post(name, body, name === 'activity.log' ? logKey : key);
  if (name === 'activity.log') noteStored(answer);
  return answer;
}

function noteStored({ data }: Answer): void {
  const { results = [] } = (data ?? {}) as { results?: { status: string; id: string }[] };
  logged.push(...results.filter(({ status }) => status === 'stored').map(({ id }) => id));
}

function schemaOf(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
}

/** Inputs that the contract's schemas describe; not all that they describe is also valid. */
const described = Object.fromEntries(
  procedureNames.map((name) => [name, arbitraryOf(schemaOf(procedures[name].input), 'fuzz')]),
) as Record<ProcedureName, fc.Arbitrary<unknown>>;
described['activity.log'] = fc.record({
  activities: fc.array(arbitraryOf(schemaOf(ActivityInput), 'fuzz'), { minLength: 1, maxLength: 4 }),
});

describe('inputs as the schemas describe them', () => {
  test.each(procedureNames)('%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(described[name], async (json) => expectSane(await ask(name, json), name)),
      { numRuns: 25 },
    );
  });
});

describe('inputs with something wrong somewhere', () => {
  test.each(procedureNames)('%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(mutated(described[name]), async (json) => expectSane(await ask(name, json), name)),
      { numRuns: 40 },
    );
  });
});

test('annotations of superjson that are anything', async () => {
  const place = fc.constantFrom('activities', 'activities.0', 'activities.0.metadata', '__proto__', '');
  const kinds = ['Date', 'undefined', 'number', 'map', 'set', 'regexp', 'bigint', 'Error', 'URL'];
  const annotation = fc.oneof(
    fc.constantFrom(...kinds.map((kind) => [kind])),
    fc.constantFrom(['class', 'X'], ['custom', 'x'], ['symbol', 's'], ['typed-array', 'Uint8Array']),
    garbage,
  );
  const meta = fc.record({
    values: fc.dictionary(place, annotation),
    referentialEqualities: garbage,
    v: garbage,
  });
  await fc.assert(
    fc.asyncProperty(described['activity.log'], meta, async (json, meta) => {
      expectSane(await ask('activity.log', json, meta), 'activity.log');
    }),
    { numRuns: 60 },
  );
});

test('requests of any path, method, headers and bytes', async () => {
  const path = fc.oneof(
    fc.constantFrom(...procedureNames),
    fc.constantFrom('activity.log,activity.list', 'job.watch', '', '..%2f', '%00', '%E0%A4%A', 'constructor'),
    fc.webPath(),
  );
  const json = fc.oneof(garbage, fc.jsonValue()).map((value) => JSON.stringify(value));
  const cut = json.map((text) => text.slice(0, text.length / 2));
  const request = fc.record({
    path,
    query: fc.constantFrom(
      '',
      '?batch=1',
      '?input={',
      '?connectionParams={}',
      '?lastEventId=%00',
      '?batch=1&input=[]',
    ),
    method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'),
    type: fc.constantFrom(
      'application/json',
      'application/json',
      'application/json; charset=utf-16',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/octet-stream',
    ),
    accept: fc.constantFrom('*/*', 'application/jsonl', 'text/event-stream'),
    body: fc.oneof(fc.uint8Array({ maxLength: 400 }), json, cut, anyText),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ path, query, method, type, accept, body }) => {
      const headers = { 'content-type': type, accept, authorization: `Bearer ${logKey}` };
      const hasBody = method !== 'GET' && method !== 'HEAD';
      const init = { method, headers, ...(hasBody && { body: body as Uint8Array<ArrayBuffer> }) };
      const answer = await answerOf(
        await server.handle(new Request(`http://test/trpc/${path}${query}`, init)),
      );
      noteStored(answer);
      expectSane(answer);
    }),
    { numRuns: 300 },
  );
});

function many(text: string, count: number): string {
  return text.repeat(count);
}

describe('bodies that are meant to hurt', () => {
  const open = '{"json":{"activities":[{"action":"a","actor":{"type":"system"},"metadata":';
  test.each([
    ['lists in lists', many('[', 100_000)],
    ['closed lists in lists', many('[', 100_000) + many(']', 100_000)],
    ['objects in objects, as metadata', `${open}${many('{"a":', 50_000)}1${many('}', 50_000)}}]}}`],
    [
      'objects in objects, as annotations',
      `{"json":{},"meta":{"values":${many('{"a":', 9_000)}1${many('}', 9_000)}}}`,
    ],
    [
      'an activity in activities',
      `{"json":{"activities":[${many('{"details":', 20_000)}1${many('}', 20_000)}]}}`,
    ],
    ['a number of a million digits', `${open}{"n":${many('9', 1_000_000)}}}]}}`],
    ['a text of four million', `${open}{"t":"${many('x', 4_000_000)}"}}]}}`],
    ['a key of a million', `${open}{"${many('k', 1_000_000)}":1}}]}}`],
    ['100,000 keys', `${open}{${Array.from({ length: 100_000 }, (_, n) => `"${n}":1`).join(',')}}}]}}`],
    ['1,000 activities of nothing', `{"json":{"activities":[${many('{},', 999)}{}]}}`],
    ['prototypes', `${open}{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}}]}}`],
    ['NUL and half a character', `${open}{"a\\u0000":"\\ud800"}}]}}`],
    ['100,000 dates', `{"json":{},"meta":{"values":{${many('"a":["Date"],', 99_999)}"b":["Date"]}}}`],
  ])('%s', async (_name, body) => {
    for (const name of ['activity.log', 'activity.list', 'privacy.planAnonymize'] as const) {
      const answer = await server.post(name, body, logKey);
      noteStored(answer);
      expectSane(answer, name);
    }
    expect(Object.prototype).not.toHaveProperty('x');
  });
});

// Last, over all that was tried.
test('what was refused has left nothing behind', async () => {
  expect(logged.length).toBeGreaterThan(0);
  expect(await storedIds()).toEqual([...given, ...logged].toSorted());
});
