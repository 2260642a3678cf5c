import { type ProcedureName, type ProcedureSpec, procedures, scopes } from '@annals/contract';
import { deploymentTenant, runJob } from '@annals/core';
import { sequenceAll, signCheckpoint } from '@annals/core/testing';
import { answerOf, openTestServer, procedureNames, type TestServer } from '@annals/server/testing';
import { anActivity } from '@annals/testkit';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What a tenant has that a call can name. */
interface Holdings {
  readonly activityId: string;
  readonly anonymizePlan: string;
  readonly redactPlan: string;
  readonly retentionPlan: string;
  readonly jobId: string;
  readonly keyId: string;
  readonly holdId: string;
}

/** An input that a procedure takes, naming a tenant's things. Every procedure is here, so none escapes. */
const inputs: Record<ProcedureName, (its: Holdings) => object> = {
  'activity.log': ({ activityId }) => ({ activities: [{ ...anActivity(), id: activityId, occurredAt }] }),
  'activity.get': ({ activityId }) => ({ id: activityId }),
  'activity.list': () => ({}),
  'activity.export': () => ({}),
  'activity.count': () => ({}),
  'activity.stats': () => ({ groupBy: ['action', 'actor'] }),
  'activity.facets': () => ({ fields: ['action', 'actor'] }),
  'activity.summary': () => ({ actor: 'user_ada' }),
  'activity.tail': () => ({ from: 'start' }),
  'integrity.checkpoint': () => ({}),
  'integrity.proof': ({ activityId }) => ({ id: activityId }),
  'integrity.consistency': () => ({ from: 1 }),
  'integrity.tile': () => ({ path: 'tile/0/000.p/1' }),
  'privacy.planAnonymize': () => ({ ids: ['user_ada'] }),
  'privacy.applyAnonymize': ({ anonymizePlan }) => ({ planId: anonymizePlan }),
  'privacy.planRedact': () => ({ fields: ['message'] }),
  'privacy.applyRedact': ({ redactPlan }) => ({ planId: redactPlan }),
  'privacy.certificate': ({ jobId }) => ({ jobId }),
  'hold.create': () => ({ name: 'another', query: 'action:none' }),
  'hold.list': () => ({}),
  'hold.release': ({ holdId }) => ({ id: holdId }),
  'retention.policies': () => ({}),
  'retention.setPolicies': () => ({ policies: [{ name: 'none', keepDays: 9 }] }),
  'retention.plan': () => ({}),
  'retention.applyPlan': ({ retentionPlan }) => ({ planId: retentionPlan }),
  'rollup.check': () => ({}),
  'job.get': ({ jobId }) => ({ id: jobId }),
  'job.list': () => ({}),
  'job.cancel': ({ jobId }) => ({ id: jobId }),
  'job.resume': ({ jobId }) => ({ id: jobId }),
  'job.watch': ({ jobId }) => ({ id: jobId }),
  'key.create': () => ({ name: 'another', scopes: ['stats:read'] }),
  'key.list': () => ({}),
  'key.revoke': ({ keyId }) => ({ id: keyId }),
  'key.current': () => ({}),
  'tenant.list': () => ({}),
  'tenant.create': () => ({ id: 'made-by-matrix' }),
};

const occurredAt = new Date('2026-01-15T12:00:00.000Z');
const missing: Holdings = {
  activityId: '019bc176-0400-7000-8000-000000000000',
  anonymizePlan: '019bc176-0400-7000-8000-000000000001',
  redactPlan: '019bc176-0400-7000-8000-000000000002',
  retentionPlan: '019bc176-0400-7000-8000-000000000003',
  jobId: '019bc176-0400-7000-8000-000000000004',
  keyId: '0'.repeat(16),
  holdId: '019bc176-0400-7000-8000-000000000005',
};

const namesTenant = procedureNames.filter((name) => 'tenantId' in procedures[name].input.shape);
const namesThing = procedureNames.filter(
  (name) => JSON.stringify(inputs[name](missing)).includes('019bc176') || name === 'key.revoke',
);
const needsScope = procedureNames.filter((name) => procedures[name].scopes.length > 0);

let server: TestServer;
let superuser: Client;
let victimKey: string;
let victim: Holdings;
let strangerKey: string;

beforeAll(async () => {
  server = await openTestServer();
  superuser = new Client({ connectionString: server.core.url });
  await superuser.connect();
  victimKey = await server.key({ tenantId: 'victim' });
  victim = await makeHoldings(victimKey);
  await signLog('victim');
  strangerKey = await server.key({ tenantId: 'stranger' });
});
afterAll(async () => {
  await superuser.end();
  await server.close();
});

interface Asked {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** One call with a request id of its own, which is all that may differ between two equal answers. */
async function ask(name: ProcedureName, input: object, key?: string): Promise<Asked> {
  const headers = {
    'content-type': 'application/json',
    'x-request-id': 'matrix',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };
  const body = JSON.stringify({ json: input });
  const request = new Request(`http://test/trpc/${name}`, { method: 'POST', headers, body });
  const answer = await answerOf(await server.handle(request));
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: answer.text };
}

/** What an answer says went wrong; an event stream says so within. */
function codeOf({ text }: Asked): string | undefined {
  return /"annals":\{"code":"(\w+)"/.exec(text)?.[1];
}

async function makeHoldings(key: string): Promise<Holdings> {
  const call = async (name: ProcedureName, input: object) => {
    const { data, status, text } = await server.call(name, input, key);
    expect(status, text).toBe(200);
    return data as { id: string; results: { id: string }[]; key: { id: string } };
  };
  const logged = await call('activity.log', { activities: [anActivity({ occurredAt })] });
  await call('retention.setPolicies', { policies: [{ name: 'short', keepDays: 1 }] });
  const person = { ids: ['user_ada'], learn: false };
  const applied = await call('privacy.planAnonymize', person);
  return {
    activityId: logged.results[0]?.id ?? '',
    anonymizePlan: (await call('privacy.planAnonymize', person)).id,
    redactPlan: (await call('privacy.planRedact', { query: 'actor:user_ada', fields: ['message'] })).id,
    retentionPlan: (await call('retention.plan', {})).id,
    jobId: (await call('privacy.applyAnonymize', { planId: applied.id })).id,
    holdId: (await call('hold.create', { name: "victim's", query: 'action:none' })).id,
    keyId: (await call('key.create', { name: 'spare', scopes: ['stats:read'] })).key.id,
  };
}

/** What a tenant has recorded, at least that its key was made, gets into its log. */
async function signLog(tenantId: string): Promise<void> {
  await sequenceAll(server.core, tenantId);
  await signCheckpoint(server.core, tenantId);
}

/** Every row of every table, and every queued job: all that a call could have written. */
async function everything(where = ''): Promise<string> {
  const tables = await superuser.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'annals'::regnamespace and relkind in ('r', 'p') and not relispartition
       and relname !~ '^migration' order by relname`,
  );
  const parts: string[] = [];
  for (const { name } of tables.rows) {
    const column = name === 'tenant' ? 'id' : 'tenant_id';
    const rows = await superuser.query<{ row: string }>(
      `select to_jsonb(t)::text as row from annals.${name} t ${where && `where ${column} = '${where}'`} order by 1`,
    );
    parts.push(name, ...rows.rows.map(({ row }) => row));
  }
  const queued = await superuser.query<{ key: string }>('select key from graphile_worker.jobs order by 1');
  return JSON.stringify([parts, where ? [] : queued.rows]);
}

describe('a caller without a valid key is told the same whatever it asks, and nothing is read or written', () => {
  let callers: Record<string, string | undefined>;
  beforeAll(async () => {
    const expired = await server.key({
      tenantId: 'victim',
      expiresAt: new Date(server.core.clock.now().getTime() + 1),
    });
    server.core.clock.advance(1);
    const spare = await server.call('key.create', { name: 'x', scopes: ['admin'] }, victimKey);
    const revoked = spare.data as { secret: string; key: { id: string } };
    await server.call('key.revoke', { id: revoked.key.id }, victimKey);
    callers = {
      none: undefined,
      unknown: `annals_${'0'.repeat(16)}_${'x'.repeat(43)}`,
      wrong: victimKey.replace(/.{4}$/, '0000'),
      revoked: revoked.secret,
      expired,
    };
  });

  test.each(procedureNames)('%s', async (name) => {
    const before = await everything();
    const answers = new Set<string>();
    for (const key of Object.values(callers)) {
      for (const input of [inputs[name](victim), inputs[name](missing), {}]) {
        const answer = await ask(name, input, key);
        expect(codeOf(answer)).toBe('unauthenticated');
        answers.add(JSON.stringify(answer));
      }
    }
    expect(answers.size).toBe(1);
    expect(await everything()).toBe(before);
  });
});

describe('a key without the scope is told which it lacks, and nothing is read or written', () => {
  test.each(needsScope)('%s', async (name) => {
    const spec: ProcedureSpec = procedures[name];
    const others = scopes.filter((scope) => !spec.scopes.includes(scope));
    const key = await server.key({ tenantId: 'victim', scopes: others });
    const before = await everything();
    const answer = await ask(name, inputs[name](victim), key);
    expect(codeOf(answer)).toBe('forbidden');
    expect(answer.text).toContain(`the key needs the scope ${spec.scopes.join(' or ')}`);
    expect(await everything()).toBe(before);
  });
});

describe("another tenant's name is answered as that of a tenant that does not exist", () => {
  test.each(namesTenant)('%s', async (name) => {
    const before = await everything();
    const existing = await ask(name, { tenantId: 'victim', ...inputs[name](victim) }, strangerKey);
    const absent = await ask(name, { tenantId: 'absent', ...inputs[name](victim) }, strangerKey);
    expect(codeOf(existing)).toBe('not_found');
    expect(existing).toEqual(absent);
    expect(await everything()).toBe(before);
  });
});

describe("another tenant's thing is answered as one that does not exist", () => {
  test.each(namesThing.filter((name) => name !== 'activity.log'))('%s', async (name) => {
    const before = await everything('victim');
    const existing = await ask(name, inputs[name](victim), strangerKey);
    const absent = await ask(name, inputs[name](missing), strangerKey);
    expect(codeOf(existing)).toBe('not_found');
    expect(existing).toEqual(absent);
    expect(await everything('victim')).toBe(before);
  });

  test("an id that another tenant's activity has is free", async () => {
    const stored = await server.call('activity.log', inputs['activity.log'](victim), strangerKey);
    expect(stored.data).toMatchObject({ stored: 1 });
  });
});

describe("a call about one's own tenant shows and changes nothing of another", () => {
  // Without the things of their own that other tests make.
  const calls = procedureNames.filter((name) => !namesThing.includes(name) && name !== 'tenant.create');
  test.each(calls)('%s', async (name) => {
    const before = await everything('victim');
    const key = await server.key({ tenantId: `empty-${name}` });
    await signLog(`empty-${name}`);
    const answer = await ask(name, inputs[name](victim), key);
    expect(answer.status).toBe(200);
    // The tenant's name, and what only its activity holds.
    expect(answer.text).not.toMatch(/victim|invoice\.voided|inv_1042|Ada Lovelace/);
    expect(answer.text).not.toContain(victim.activityId);
    expect(await everything('victim')).toBe(before);
  });

  test("only the deployment's key makes tenants", async () => {
    const before = await everything();
    expect(codeOf(await ask('tenant.create', { id: 'victim' }, strangerKey))).toBe('forbidden');
    expect(await ask('tenant.create', { id: 'victim' }, strangerKey)).toEqual(
      await ask('tenant.create', { id: 'absent' }, strangerKey),
    );
    expect(await everything()).toBe(before);
  });
});

describe("the deployment's key", () => {
  let root: string;
  beforeAll(async () => {
    root = await server.key({ tenantId: deploymentTenant });
  });

  test.each(namesTenant)('%s is about the tenant that it names, if that exists', async (name) => {
    const before = await everything();
    const answer = await ask(name, { tenantId: 'absent', ...inputs[name](victim) }, root);
    expect(codeOf(answer)).toBe('not_found');
    expect(await everything()).toBe(before);
  });

  const writes = namesTenant.filter(
    (name) => procedures[name].type === 'mutation' && !name.startsWith('key.'),
  );
  test.each(writes)('%s must name a tenant', async (name) => {
    const before = await everything();
    const answer = await ask(name, inputs[name](victim), root);
    expect(codeOf(answer)).toBe('invalid_input');
    expect(answer.text).toContain('"path":"tenantId"');
    expect(await everything()).toBe(before);
  });
});

// Last, since these calls do what they say: without them the refusals above could have other reasons.
describe('with the right key the same calls succeed', () => {
  test.each(procedureNames)('%s', async (name) => {
    const tenantId = `own-${name.toLowerCase()}`;
    const key = await server.key({ tenantId });
    const own = await makeHoldings(key);
    await signLog(tenantId);
    // Only what has ended is certified.
    if (name === 'privacy.certificate') {
      await runJob(server.core.services, { tenantId, jobId: own.jobId });
    }
    // A watch lasts as long as its job.
    if (name === 'job.watch') await server.call('job.cancel', { id: own.jobId }, key);
    const caller = name === 'tenant.create' ? await server.key({ tenantId: deploymentTenant }) : key;
    const named = namesTenant.includes(name) ? { tenantId } : {};
    const answer = await ask(name, { ...named, ...inputs[name](own) }, caller);
    expect(codeOf(answer), answer.text).toBeUndefined();
    expect(answer.status).toBe(200);
  });
});
