import type { Hold } from '@annals/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestCli, type TestCli } from '../testing.ts';

let cli: TestCli;
beforeAll(async () => {
  cli = await openTestCli();
});
afterAll(() => cli.close());

async function store(count: number, actor: string): Promise<void> {
  const records = Array.from({ length: count }, (_, n) => ({
    action: n === 0 ? 'contract.signed' : 'invoice.viewed',
    occurredAt: `2026-04-0${n + 1}T10:00:00Z`,
    actor: { type: 'user', id: actor },
    message: 'text',
  }));
  const { code } = await cli.run(['import', '--format', 'annals', '-'], {
    stdin: records.map((record) => JSON.stringify(record)).join('\n'),
  });
  expect(code).toBe(0);
}

test('what a hold is over stays, the plan and the job say so, and it goes once the hold is released', async () => {
  await store(3, 'pat-1');
  const made = await cli.run(['holds', 'create', 'Claim 17', '-q', 'actor:pat-1 action:contract.*']);
  expect(made).toMatchObject({ code: 0 });
  expect(made.stdout).toMatch(/ Claim 17 +action:contract\.\* actor:pat-1 /);
  const [{ id }] = (await cli.lines(['holds', 'list'])) as [Hold];
  const redact = ['redact', '-q', 'actor:pat-1', '-f', 'message'];
  const planned = await cli.run(redact);
  expect(planned.stdout).toContain('2 activities would change');
  expect(planned.stdout).toContain(`1 activity is held and would stay:\n    Claim 17 (${id}): 1\n`);
  const applied = await cli.run([...redact, '--apply', '--confirm', 't1']);
  expect(applied).toMatchObject({ code: 0 });
  expect(applied.stdout).toContain('\n  1 activity held\n');
  expect(await cli.lines(['list', '-q', 'actor:pat-1 has:message'])).toHaveLength(1);

  const released = await cli.run(['holds', 'release', id, '--reason', 'settled']);
  expect(released.stdout).toMatch(/ Claim 17 +a filter .* settled$/m);
  expect(await cli.run([...redact, '--apply', '--confirm', 't1'])).toMatchObject({ code: 0 });
  expect(await cli.lines(['list', '-q', 'actor:pat-1 has:message'])).toEqual([]);
});

test('a hold over a person keeps all that names the person', async () => {
  await store(2, 'kim-1');
  await cli.run(['holds', 'create', 'Kim', '-p', 'kim-1', '-i', 'kim@x.com', '--no-learn']);
  const listed = await cli.run(['holds', 'list']);
  expect(listed.stdout).toContain(' person kim-1, kim@x.com ');
  const planned = await cli.run(['anonymize', 'kim-1']);
  expect(planned.stdout).toContain('0 activities would change');
  expect(planned.stdout).toContain('2 activities are held and would stay:\n    Kim (');
});

test('a hold over nothing, or over two things, is no hold', async () => {
  for (const args of [[], ['--all', '-p', 'x'], ['-q', 'actor:x', '--all'], ['--all', '-i', 'name']]) {
    const { code, stdout } = await cli.run(['holds', 'create', 'x', ...args]);
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
  }
  const unknown = await cli.run(['holds', 'release', '019bc176-0400-7000-8000-000000000005']);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('there is no such hold');
});
