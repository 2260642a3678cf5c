import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase, type DatabaseTemplate } from './test-database.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function countingTemplate(): DatabaseTemplate & { calls: number } {
  const template = {
    name: `testkit_${randomBytes(4).toString('hex')}`,
    calls: 0,
    create: async (url: string) => {
      template.calls += 1;
      await query(url, 'create table note (text text)');
    },
  };
  return template;
}

test('two clones of one template are independent', async () => {
  const template = countingTemplate();
  const first = await createTestDatabase({ template });
  const second = await createTestDatabase({ template });
  await query(first.url, `insert into note values ('only here')`);
  expect(await query(first.url, 'select text from note')).toEqual([{ text: 'only here' }]);
  expect(await query(second.url, 'select text from note')).toEqual([]);
  await Promise.all([first.drop(), second.drop()]);
});

test('racing creators build the template once', async () => {
  const template = countingTemplate();
  const clones = await Promise.all(Array.from({ length: 6 }, () => createTestDatabase({ template })));
  expect(template.calls).toBe(1);
  expect(new Set(clones.map((clone) => clone.name)).size).toBe(6);
  await Promise.all(clones.map((clone) => clone.drop()));
});

test('a template whose creation failed is built anew by the next caller', async () => {
  const template = countingTemplate();
  const failing = {
    ...template,
    create: async (url: string) => {
      await query(url, 'create table note (half boolean)');
      throw new Error('no luck');
    },
  };
  await expect(createTestDatabase({ template: failing })).rejects.toThrow('no luck');
  const clone = await createTestDatabase({ template });
  expect(await query(clone.url, 'select text from note')).toEqual([]);
  await clone.drop();
});

test('a template whose creator left a connection open can be cloned', async () => {
  const template = countingTemplate();
  const leaking = {
    ...template,
    create: async (url: string) => {
      const client = new Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      await client.query('create table note (text text)');
    },
  };
  const clone = await createTestDatabase({ template: leaking });
  expect(await query(clone.url, 'select text from note')).toEqual([]);
  await clone.drop();
});

test('drop removes a clone that is still connected to', async () => {
  const template = countingTemplate();
  const clone = await createTestDatabase({ template });
  const client = new Client({ connectionString: clone.url });
  client.on('error', () => undefined);
  await client.connect();
  await clone.drop();
  await expect(query(clone.url, 'select 1')).rejects.toThrow(/does not exist/);
  await client.end().catch(() => undefined);
});

test('a template name that is not an identifier is refused', async () => {
  const template = { name: 'x"; drop', create: async () => undefined };
  await expect(createTestDatabase({ template })).rejects.toThrow(/must match/);
});
