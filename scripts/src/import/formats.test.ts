import { createReadStream, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ActivityInput, type JsonObject } from '@annals/contract';
import { expect, test } from 'vitest';
import { type FormatName, formatReader } from './formats.ts';
import type { Mapped } from './outcome.ts';
import { parseLine } from './parse-line.ts';
import { readLines } from './read-lines.ts';

async function readAll(file: string, format: FormatName): Promise<Mapped[]> {
  const toActivity = formatReader(format);
  const all: Mapped[] = [];
  for await (const line of readLines(createReadStream(file), { lineBytesMax: 1 << 20 })) {
    if (!('text' in line)) throw new Error(`${file}:${line.number} ${line.problem}`);
    const parsed = parseLine(line.text);
    all.push('refusal' in parsed ? parsed : toActivity(parsed.object));
  }
  return all;
}

const sample = (format: FormatName) =>
  readAll(join(import.meta.dirname, 'samples', `${format}.ndjson`), format);
const activityOf = (mapped: Mapped | undefined) =>
  mapped && 'activity' in mapped ? mapped.activity : undefined;
const refusalOf = (mapped: Mapped | undefined) =>
  mapped && 'refusal' in mapped ? mapped.refusal : undefined;

test('cloudtrail: calls, machine roles, console logins, service events; addresses that are none', async () => {
  const [denied, byMachine, login, byService, untimed, deep] = await sample('cloudtrail');
  expect(activityOf(denied)).toMatchObject({
    action: 'aws.s3.delete_bucket',
    kind: 'api_call',
    operation: 'delete',
    outcome: 'denied',
    message: 'Access Denied',
    actor: { type: 'user', id: 'arn:aws:iam::210987654321:user/nadia', label: 'nadia' },
    target: { type: 's3_bucket', id: 'arn:aws:s3:::ledger-archive', label: 'ledger-archive' },
    context: { ip: '198.51.100.7', userAgent: 'aws-cli/2.15', requestId: 'R1' },
    details: { method: 'DeleteBucket', path: 's3.amazonaws.com' },
  });
  expect(activityOf(byMachine)).toMatchObject({
    action: 'aws.iam.list_users',
    operation: 'read',
    outcome: 'success',
    actor: { type: 'worker', label: 'deployer/i-0a1b2c3d' },
    metadata: { eventid: '0b6d', sourceipaddress: 'cloudformation.amazonaws.com' },
  });
  expect(activityOf(byMachine)?.context).toBeUndefined();
  expect(activityOf(login)).toMatchObject({
    kind: 'auth',
    outcome: 'failure',
    channel: 'console',
    actor: { type: 'user', id: 'AIDAY', label: 'omar' },
    details: { method: 'console', mfa: false, failureReason: 'Failed authentication' },
    metadata: { sourceIPAddress: '06.1.2.3' },
  });
  expect(activityOf(byService)).toMatchObject({
    kind: 'system',
    actor: { type: 'system', id: 'kms.amazonaws.com' },
    target: { type: 'kms_key' },
  });
  expect(refusalOf(untimed)).toMatchObject({
    path: 'occurredAt',
    message: 'nothing usable: eventTime is "redacted"',
  });
  expect(activityOf(deep)).toMatchObject({
    actor: { type: 'anonymous' },
    target: { type: 's3_object', id: 'arn:aws:s3:::ledger/2026/q1.csv' },
    metadata: {
      additionalEventData: {
        a: { b: { c: { d: { e: { f: { g: '{"h":{"i":1}}' } } } } } },
        bytes: '9007199254740993',
      },
    },
  });
});

test('github: audit log in its several times; webhooks only where they say when it happened', async () => {
  const [destroyed, pushed, impossible, byBot, opened, reviewed] = await sample('github');
  expect(activityOf(destroyed)).toMatchObject({
    action: 'github.repo.destroy',
    occurredAt: '2026-03-02T08:00:00.000Z',
    operation: 'delete',
    actor: { type: 'user', id: 'nadia' },
    target: { type: 'repository', id: 'ledger-inc/books' },
  });
  expect(activityOf(pushed)).toMatchObject({
    occurredAt: '2026-03-02T08:00:00.000Z',
    actor: { type: 'anonymous' },
  });
  expect(activityOf(pushed)?.subject).toBeUndefined();
  expect(refusalOf(impossible)).toMatchObject({
    path: 'occurredAt',
    message: 'nothing usable: created_at is "2026-03-02 00:00:00000000"',
  });
  expect(activityOf(byBot)).toMatchObject({
    occurredAt: '2026-03-02T08:00:00.123Z',
    actor: { type: 'integration', id: 'release-helper[bot]' },
    subject: { id: 'omar' },
    target: { type: 'organization', id: 'ledger-inc' },
    metadata: { created_at: '2026-03-02 08:00:00.123456789' },
  });
  expect(refusalOf(opened)).toMatchObject({ path: 'occurredAt' });
  expect(activityOf(reviewed)).toMatchObject({
    action: 'github.pull_request_review.submitted',
    occurredAt: '2026-03-02T09:00:00.000Z',
    actor: { type: 'user', id: 'omar' },
    message: 'Fine by me',
  });
});

test('okta: people, the system and apps; keys in either case; an unknown id gives way to the name used', async () => {
  const [failed, locked, untimed, granted] = await sample('okta');
  expect(activityOf(failed)).toMatchObject({
    action: 'okta.user.session.start',
    kind: 'auth',
    severity: 'warning',
    outcome: 'failure',
    actor: { type: 'user', id: 'omar@ledger.example' },
    context: { ip: '2001:db8::7', userAgent: 'Mozilla/5.0', requestId: 'r-1', sessionId: 's-1' },
    details: { failureReason: 'INVALID_CREDENTIALS' },
  });
  expect(activityOf(locked)).toMatchObject({
    action: 'okta.user.account.lock',
    outcome: 'denied',
    actor: { type: 'system', id: '00u7', label: 'Okta System' },
    target: { type: 'user', id: '00u8', label: 'Omar Haddad' },
    metadata: { client: { ipAddress: 'redacted' } },
  });
  expect(refusalOf(untimed)).toMatchObject({ path: 'occurredAt' });
  expect(activityOf(granted)).toMatchObject({
    outcome: 'unknown',
    actor: { type: 'integration', id: '0oa1', label: 'Mobile' },
  });
});

test('gsuite: applications as domains; warnings of Google about a person; numbers with all their digits', async () => {
  const [downloaded, suspicious, untimed, unnamed, bounced] = await sample('gsuite');
  expect(activityOf(downloaded)).toMatchObject({
    action: 'google.drive.download',
    operation: 'read',
    channel: 'drive',
    actor: { type: 'user', id: 'nadia@ledger.example' },
    target: { type: 'document', id: 'doc-1', label: 'Q1 ledger' },
    metadata: { actor: { profileId: '108000000000000000001', callerType: 'USER' } },
  });
  expect(activityOf(suspicious)).toMatchObject({
    action: 'google.login.suspicious_login',
    severity: 'warning',
    actor: { type: 'system', id: 'google' },
    subject: { id: 'omar@ledger.example' },
  });
  expect(refusalOf(untimed)).toMatchObject({ path: 'occurredAt' });
  expect(activityOf(unnamed)).toMatchObject({ action: 'google.rules', severity: 'error' });
  expect(activityOf(bounced)).toMatchObject({
    outcome: 'failure',
    actor: { type: 'user', id: '108000000000000000002' },
    metadata: { parameters: { event_info: { timestamp_usec: '1772438640000000123' } } },
  });
});

test('annals: a record keeps its id and loses what belongs to the place where it was', () => {
  const record: JsonObject = {
    id: '019cb000-0000-7000-8000-000000000001',
    tenantId: 't1',
    recordedAt: '2026-03-02T08:00:01.000Z',
    occurredAt: '2026-03-02T08:00:00.000Z',
    action: 'invoice.voided',
    actor: { type: 'user', id: 'u1' },
    erased: ['actor.label'],
    metadata: { tenantId: 'kept' },
  };
  const toActivity = formatReader('annals');
  const { tenantId: _t, recordedAt: _r, erased: _e, ...kept } = record;
  expect(toActivity(record)).toEqual({ activity: kept });
  const { id: _id, ...withoutId } = kept;
  expect(toActivity(withoutId)).toEqual({
    activity: { ...withoutId, idempotencyKey: expect.stringMatching(/^annals:/) as string },
  });
  expect(toActivity({ ...kept, occurredAt: null })).toMatchObject({ refusal: { path: 'occurredAt' } });
  expect(toActivity({ ...kept, actor: { type: 'user', label: '[masked]' } })).toMatchObject({
    refusal: { path: 'actor.label', message: expect.stringContaining('personal:read') as string },
  });
});

const realFolder = resolve(import.meta.dirname, '../../../../shared/real-audit');

/** docs/import.md tells these totals. */
const real = [
  { file: 'aws_cloudtrail.ndjson', format: 'cloudtrail', usable: 423, refused: 16, distinct: 423 },
  { file: 'github.ndjson', format: 'github', usable: 67, refused: 99, distinct: 66 },
  { file: 'okta.ndjson', format: 'okta', usable: 56, refused: 33, distinct: 56 },
  { file: 'gsuite_activityevent.ndjson', format: 'gsuite', usable: 61, refused: 44, distinct: 61 },
] as const;

test.skipIf(!existsSync(realFolder))(
  'of the real files (../shared/real-audit) every line is usable by the contract or refused for a needed field',
  async () => {
    for (const { file, format, ...totals } of real) {
      const all = await readAll(join(realFolder, file), format);
      const activities = all.flatMap((mapped) => activityOf(mapped) ?? []);
      expect(activities.filter((activity) => !ActivityInput.safeParse(activity).success)).toEqual([]);
      const refusals = all.flatMap((mapped) => refusalOf(mapped) ?? []);
      expect(refusals.filter(({ path }) => path !== 'occurredAt' && path !== 'action')).toEqual([]);
      expect({
        usable: activities.length,
        refused: refusals.length,
        distinct: new Set(activities.map(({ idempotencyKey }) => idempotencyKey)).size,
      }).toEqual(totals);
    }
  },
);
