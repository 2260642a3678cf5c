import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Activity, Job, Plan } from '@annals/contract';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestCli, type TestCli } from '../testing.ts';

let cli: TestCli;
let folder: string;

beforeAll(async () => {
  cli = await openTestCli();
});
afterAll(() => cli.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'annals-commands-'));
});
afterEach(() => rm(folder, { recursive: true }));

const file = (name: string) => join(folder, name);
const sample = (format: string) => join(import.meta.dirname, '../import/samples', `${format}.ndjson`);

test('an import stores each line once, and says of the others why not', async () => {
  const first = await cli.run([
    'import',
    '--format',
    'cloudtrail',
    sample('cloudtrail'),
    '--rejects',
    file('r.ndjson'),
  ]);
  expect(first.code).toBe(1);
  expect(first.stdout).toMatch(/lines +stored +duplicates +refused\n.*cloudtrail\.ndjson +6 +5 +0 +1\n/);
  expect(first.stderr).toMatch(/cloudtrail\.ndjson:5 occurredAt: nothing usable: eventTime is "redacted"/);
  const rejects = (await readFile(file('r.ndjson'), 'utf8')).trim().split('\n');
  expect(rejects.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      line: 5,
      code: 'invalid_input',
      path: 'occurredAt',
      raw: expect.any(String) as string,
    }),
  ]);
  const again = await cli.run(['import', '--format', 'cloudtrail', sample('cloudtrail'), '--output', 'json']);
  expect(JSON.parse(again.stdout)).toMatchObject({
    total: { lines: 6, stored: 0, duplicates: 5, refused: 1 },
  });
});

test('an import that cannot succeed does not ask to be run again', async () => {
  const { code, stderr } = await cli.run(['import', '--format', 'okta', sample('okta'), '--tenant', 'none']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Stopped before line 1 of .*okta\.ndjson: tenantId: no such tenant\n$/);
});

test('a mapping file reads any other format, from standard input too', async () => {
  const mapping = {
    version: 1,
    format: 'door',
    fields: {
      action: { template: 'door.{what|key}' },
      occurredAt: { path: 'ts', transform: 'epochSeconds' },
      actor: { type: { const: 'user' }, id: 'badge' },
    },
    metadata: { rest: true },
  };
  await writeFile(file('door.json'), JSON.stringify(mapping));
  const stdin = '{"ts":1772438400,"what":"Opened","badge":"b7","door":"north"}\n';
  const { code } = await cli.run(['import', '--mapping', file('door.json'), '-'], { stdin });
  expect(code).toBe(0);
  expect(await cli.lines(['list', '-q', 'action:door.*'])).toMatchObject([
    { action: 'door.opened', actor: { id: 'b7' }, metadata: { door: 'north' } },
  ]);
});

test('what is exported as NDJSON is imported again as the same activities', async () => {
  await cli.run(['import', '--format', 'okta', sample('okta')]);
  const query = ['--query', 'source:okta'];
  const before = (await cli.lines(['list', ...query])) as Activity[];
  expect(before).toHaveLength(3);
  const exported = await cli.run(['export', ...query, '--out', file('okta.ndjson.gz')]);
  expect(exported).toMatchObject({ code: 0, stdout: '' });
  expect(await cli.run(['import', '--format', 'annals', file('okta.ndjson.gz')])).toMatchObject({ code: 0 });
  expect(await cli.lines(['list', ...query])).toEqual(before);
  await cli.run(['tenants', 'create', 't2']);
  const copied = await cli.run([
    'import',
    '--format',
    'annals',
    file('okta.ndjson.gz'),
    '--tenant',
    't2',
    '--output',
    'json',
  ]);
  expect(copied.code).toBe(0);
});

test('an export goes to standard output alone, in the order and number asked for', async () => {
  await cli.run(['import', '--format', 'gsuite', sample('gsuite')]);
  const { stdout, stderr, code } = await cli.run(['export', '-q', 'source:google_workspace', '-n', '2']);
  expect(code).toBe(0);
  const times = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Activity).occurredAt);
  expect(times).toEqual(['2026-03-02T08:00:00.667Z', '2026-03-02T08:01:00.000Z']);
  expect(stderr).toContain('2 activities exported.');
});

test('a CSV export has a heading and a row for each activity', async () => {
  await cli.run(['import', '--format', 'github', sample('github')]);
  await cli.run(['export', '-q', 'source:github', '--format', 'csv', '-o', file('a.csv.gz')]);
  const csv = gunzipSync(await readFile(file('a.csv.gz')))
    .toString('utf8')
    .split('\r\n');
  expect(csv[0]).toMatch(/^"id","occurredAt"/);
  expect(csv).toHaveLength(1 + 4 + 1);
});

test('an export never replaces a file unasked, and leaves nothing when it fails', async () => {
  await writeFile(file('a.ndjson'), 'mine');
  expect(await cli.run(['export', '-o', file('a.ndjson')])).toMatchObject({ code: 2 });
  expect(await readFile(file('a.ndjson'), 'utf8')).toBe('mine');
  const failed = await cli.run(['export', '-o', file('b.ndjson'), '--tenant', 'none']);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('b.ndjson was not written');
  expect(await readdir(folder)).toEqual(['a.ndjson']);
  expect(await cli.run(['export', '-o', file('a.ndjson'), '--force', '-n', '1'])).toMatchObject({ code: 0 });
});

test('records are listed, shown whole and counted', async () => {
  await cli.run(['import', '--format', 'github', sample('github')]);
  const query = ['-q', 'source:github action:github.repo.destroy'];
  const { stdout } = await cli.run(['list', ...query]);
  expect(stdout).toMatch(/^occurred +severity +action +outcome +actor +target +id\n/);
  expect(stdout).toMatch(/ github\.repo\.destroy +success +nadia +repository ledger-inc\/books /);
  const [activity] = (await cli.lines(['list', ...query])) as Activity[];
  const whole = await cli.run(['get', activity?.id ?? '']);
  expect(whole.stdout).toMatch(/^actor\.id +nadia$/m);
  expect(whole.stdout).toMatch(/^metadata\.actor_id +7$/m);
  expect(await cli.run(['get', '019cb000-0000-7000-8000-000000000099'])).toMatchObject({
    code: 1,
    stdout: '',
  });
  const stats = await cli.run([
    'stats',
    ...query,
    '-g',
    'actor',
    '-i',
    'day',
    '--time-zone',
    'Europe/Berlin',
  ]);
  expect(stats.stdout).toMatch(/^2026-03-02 00:00 \+01:00 +nadia +1 +█+$/m);
});

async function storePerson(id: string): Promise<void> {
  const records = [1, 2, 3].map((n) => ({
    action: 'invoice.viewed',
    occurredAt: `2026-04-0${n}T10:00:00Z`,
    actor: { type: 'user', id, label: `${id} Surname` },
    context: { ip: '192.0.2.7' },
  }));
  const { code } = await cli.run(['import', '--format', 'annals', '-'], {
    stdin: records.map((record) => JSON.stringify(record)).join('\n'),
  });
  expect(code).toBe(0);
}

test('anonymize shows its plan and stops; applied and confirmed it leaves no trace', async () => {
  await storePerson('pat-1');
  const planned = await cli.run(['anonymize', 'pat-1']);
  expect(planned.code).toBe(0);
  expect(planned.stdout).toMatch(/3 activities would change/);
  expect(planned.stderr).toContain('Nothing was changed.');
  const wrong = await cli.run(['anonymize', 'pat-1', '--apply', '--confirm', 'pat-2']);
  expect(wrong).toMatchObject({ code: 3, stdout: '' });
  const unasked = await cli.run(['anonymize', 'pat-1', '--apply']);
  expect(unasked.code).toBe(3);
  expect(await cli.lines(['list', '-q', 'actor:pat-1'])).toHaveLength(3);
  const applied = await cli.run(['anonymize', 'pat-1', '--apply', '--confirm', 'pat-1', '--output', 'json']);
  expect(applied.code).toBe(0);
  const { plan, job } = JSON.parse(applied.stdout) as { plan: Plan; job: Job };
  expect(plan.activities).toBe(3);
  expect(job).toMatchObject({ kind: 'anonymize', status: 'completed', result: { changed: 3 } });
  expect(await cli.lines(['list', '-q', '"pat-1"'])).toEqual([]);
  expect(await cli.lines(['jobs', 'get', job.id])).toMatchObject([{ id: job.id, status: 'completed' }]);
  expect(await cli.run(['jobs', 'resume', job.id])).toMatchObject({ code: 1 });
});

test('a plan says what it does not search for, and why', async () => {
  await storePerson('x1');
  const { stdout } = await cli.run(['anonymize', 'x1', '--except', 'x1 Surname']);
  expect(stdout).toMatch(/^ +x1 +given +- +not searched for in texts: too short$/m);
  expect(stdout).toMatch(/^ +x1 Surname +learned +- +not searched for: excepted$/m);
});

test('a list that ends at its limit says that there are more', async () => {
  await storePerson('lim-1');
  const some = await cli.run(['list', '-q', 'actor:lim-1', '-n', '2']);
  expect(some.stdout.trim().split('\n')).toHaveLength(1 + 2);
  expect(some.stderr).toContain('There are more activities');
  expect((await cli.run(['list', '-q', 'actor:lim-1', '-n', '3'])).stderr).toBe('');
});

test('somebody at a terminal confirms by typing the name', async () => {
  await storePerson('kim-1');
  const typedWrong = await cli.run(['anonymize', 'kim-1', '--apply'], { typed: 'yes\r' });
  expect(typedWrong.code).toBe(3);
  const unasked = await cli.run(['anonymize', 'kim-1', '--apply', '--no-input'], { typed: 'kim-1\r' });
  expect(unasked.code).toBe(3);
  const typed = await cli.run(['anonymize', 'kim-1', '--apply'], { typed: 'kim-1\r' });
  expect(typed.stdout).toContain('3 activities changed');
});

test('redact erases the fields named, of what the query selects', async () => {
  await storePerson('lee-1');
  expect(await cli.run(['redact', '-f', 'context.ip'])).toMatchObject({ code: 2 });
  expect(await cli.run(['redact', '-q', 'actor:lee-1'])).toMatchObject({ code: 2 });
  const { code } = await cli.run([
    'redact',
    '-q',
    'actor:lee-1',
    '-f',
    'context.ip',
    '--apply',
    '--confirm',
    't1',
  ]);
  expect(code).toBe(0);
  expect(await cli.lines(['list', '-q', 'actor:lee-1 has:ip'])).toEqual([]);
  expect(await cli.lines(['list', '-q', 'actor:lee-1'])).toHaveLength(3);
});

test('retention is set from a file, and purges only when applied', async () => {
  await storePerson('sam-1');
  await writeFile(file('bad.json'), '[{"name":"Old","keepDays":0}]');
  const bad = await cli.run(['retention', 'set', file('bad.json')]);
  expect(bad.code).toBe(2);
  expect(bad.stderr).toMatch(/0\.name: must be 1 to 64/);
  const policies = [{ name: 'old', keepDays: 1, actions: ['invoice.*'] }];
  const set = await cli.run(['retention', 'set', '-'], { stdin: JSON.stringify(policies) });
  expect(set.stdout).toMatch(/^old +1 +occurredAt/m);
  expect(await cli.lines(['retention', 'policies'])).toEqual([{ ...policies[0], since: 'occurredAt' }]);
  const planned = await cli.run(['retention', 'purge']);
  expect(planned.stdout).toMatch(/activities would go/);
  expect(await cli.lines(['list', '-q', 'actor:sam-1'])).toHaveLength(3);
  expect(await cli.run(['retention', 'purge', '--apply', '--confirm', 't1'])).toMatchObject({ code: 0 });
  expect(await cli.lines(['list', '-q', 'action:invoice.*'])).toEqual([]);
});

test('keys are made, shown once, listed by prefix and revoked', async () => {
  const made = await cli.run(['keys', 'create', 'reporting', '--scopes', 'activities:read,stats:read']);
  expect(made.stdout).toMatch(/^annals_[a-z0-9]{16}_\S+\n$/);
  const prefix = made.stdout.slice(0, 'annals_'.length + 16);
  const listed = await cli.run(['keys', 'list']);
  expect(listed.stdout).toContain(prefix);
  expect(listed.stdout).not.toContain(made.stdout.trim());
  const revoked = await cli.run(['keys', 'revoke', prefix]);
  expect(revoked.code).toBe(0);
  expect(await cli.run(['keys', 'create', 'x', '--scopes', 'everything'])).toMatchObject({ code: 2 });
});

test('a command line that is wrong does nothing, says what was expected and ends with 2', async () => {
  for (const [args, expected] of [
    [['lst'], 'Did you mean list?'],
    [['list', '--order', 'random'], 'Allowed choices are newest, oldest'],
    [['list', '--limit', '0'], 'whole number from 1'],
    [['list', '-q', 'actr:x'], 'did you mean "actor"?'],
    [['stats', '-g', 'colour'], '--group-by: colour is none of action,'],
    [['import', sample('okta')], 'give --format'],
    [['import', '--format', 'okta', file('none.ndjson')], 'none.ndjson cannot be read'],
    [['anonymize'], "at least one of the person's ids"],
  ] as const) {
    const { code, stdout, stderr } = await cli.run(args);
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
    expect(stderr).toContain(expected);
  }
});

test('help and the exit codes are told without a server', async () => {
  const help = await cli.run(['help', 'exit-codes']);
  expect(help.code).toBe(0);
  expect(help.stdout).toMatch(/^ +3 {2}Not confirmed/m);
  expect((await cli.run(['import', '--help'])).stdout).toContain('--mapping <file>');
});
