import { expect, test } from 'vitest';
import { eraseSlots } from '../entry/erase-slots.ts';
import type { Manifest } from '../entry/manifest.ts';
import { encodeOpenings } from '../entry/openings.ts';
import { formatCheckpoint } from '../note/checkpoint.ts';
import { signNote } from '../note/sign-note.ts';
import { type SigningKey, signingKey } from '../note/signing-key.ts';
import { formatVerifierKey } from '../note/verifier-key.ts';
import { type BundleLine, formatBundleLine } from './lines.ts';
import {
  bundleOf,
  createTestLog,
  type TestEntry,
  type TestLog,
  testKey,
  testNow,
  testPolicy,
} from './testing.ts';
import { verifyAuditBundle } from './verify-bundle.ts';

const salt = new Uint8Array(16).fill(3);

async function codesOf(lines: readonly BundleLine[] | string): Promise<string[]> {
  const text = typeof lines === 'string' ? lines : textOf(lines);
  const report = await verifyAuditBundle([new TextEncoder().encode(text)], {
    policy: testPolicy,
    now: testNow,
  });
  return [report.verdict, ...report.findings.map(({ code }) => code)];
}

function textOf(lines: readonly BundleLine[]): string {
  return lines.map(formatBundleLine).join('');
}

function logOf(count: number): TestLog {
  const log = createTestLog();
  for (let at = 0; at < count; at += 1) log.append();
  return log;
}

/** Erase a value of a record, as services do, and put another in its place. */
function replace(log: TestLog, index: number, metadata: Record<string, string>): Manifest {
  const entry = log.entries[index] as TestEntry;
  const erased = Object.keys(metadata).map((key) => `metadata.${key}`);
  const after = { ...entry.record, metadata: { ...entry.record.metadata, ...metadata }, erased };
  const opening = { seed: entry.seed };
  const { openings, slots, rest } = eraseSlots({ before: entry.record, after, opening, restSalt: salt });
  log.entries[index] = { ...entry, record: after, openings: encodeOpenings(openings) };
  const item = { epoch: 2, index, slotCount: openings.slots.length, slots, rest };
  return { kind: 'erasure', salt, items: [item] };
}

test('an earlier epoch cannot be cut off by replacing what the next one cites', async () => {
  const first = logOf(4);
  const second = createTestLog({ epoch: 2, origin: `${testKey.name}/e2` });
  second.append({ own: true, action: 'annals.epoch_opened', metadata: { checkpoint: first.checkpoint() } });
  expect(await codesOf(bundleOf({ logs: [first, second] }))).toEqual(['valid']);
  const cut = logOf(2);
  const manifest = replace(second, 0, { checkpoint: cut.checkpoint() });
  second.seal('m1', manifest);
  const lines = bundleOf({ logs: [cut, second], manifests: [{ id: 'm1', manifest }] });
  expect(await codesOf(lines)).toEqual(['invalid', 'epoch_unlinked']);
});

test('the tree, not what else the bundle says of it, is what a later epoch must cite', async () => {
  const first = logOf(4);
  const second = createTestLog({ epoch: 2, origin: `${testKey.name}/e2` });
  second.append({
    own: true,
    action: 'annals.epoch_opened',
    metadata: { checkpoint: logOf(5).checkpoint(4) },
  });
  const other = createTestLog();
  for (let at = 0; at < 4; at += 1) other.append({ message: 'other' });
  second.append();
  const lines = bundleOf({ logs: [first, second] }).map((line) =>
    line.type === 'checkpoint' && line.epoch === 1 ? { ...line, note: other.checkpoint() } : line,
  );
  expect(await codesOf(lines)).toEqual(['invalid', 'checkpoint_mismatch']);
});

test('a key that the policy does not have signs nothing before the log announces it either', async () => {
  const log = logOf(2);
  const key = signingKey({ name: testKey.name, type: 'ed25519', seed: new Uint8Array(32).fill(5) });
  const newKey = formatVerifierKey(key);
  log.append({ own: true, action: 'annals.log_key_rotated', metadata: { newKey } });
  log.append();
  const signedBy = (by: SigningKey, size: number) => ({
    type: 'checkpoint' as const,
    epoch: 1,
    note: signNote(formatCheckpoint({ origin: testKey.name, size, root: log.root(size), extensions: [] }), [
      by,
    ]),
  });
  const [header, ...rest] = bundleOf({ logs: [log] });
  const codesWith = (size: number) => codesOf([header as BundleLine, signedBy(key, size), ...rest]);
  expect(await codesWith(3)).toEqual(['valid']);
  expect(await codesWith(2)).toEqual(['invalid', 'key_unannounced']);
});

test.each<[string, (line: string) => string]>([
  ['a member of the line', (line) => line.replace('"own":false', '"own":true,"own":false')],
  ['the type', (line) => line.replace('"type":"record",', '"type":"record","type":"record",')],
  ['a text of the record', (line) => line.replace('"message":', '"message":"other","message":')],
  ['a key, spelled otherwise', (line) => line.replace('"plan":', '"pl\\u0061n" : "other","plan":')],
  ['a key behind quotes', (line) => line.replace('"plan":', '"\\\\\\"\\":":1,"\\\\\\"\\":":1,"plan":')],
])('a name that stands in an object twice is refused: %s', async (_, change) => {
  const text = textOf(bundleOf({ logs: [logOf(1)] }));
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith('{"type":"record"'));
  const changed = lines.with(at, change(lines[at] ?? '')).join('\n');
  expect(changed).not.toBe(text);
  expect(await codesOf(changed)).toEqual(['invalid', 'bundle_malformed']);
});

test('a line begins with its type, without blanks', async () => {
  const text = textOf(bundleOf({ logs: [logOf(1)] }));
  for (const type of ['bundle', 'checkpoint', 'tile', 'record', 'end']) {
    const changed = text.replace(`{"type":"${type}",`, `{"type": "${type}",`);
    expect(await codesOf(changed)).toContain('bundle_malformed');
  }
});

test('quotes, colons and blanks in texts are no names', async () => {
  const log = createTestLog();
  log.append({ message: '"a":1, "a" : 2', metadata: { 'k":': '\\":', '\\': '"', 'k": 1, "k': ': "' } });
  expect(await codesOf(bundleOf({ logs: [log] }))).toEqual(['valid']);
});

test('a bundle has one policy, and the parts of a manifest differ in their items only', async () => {
  const log = logOf(3);
  const manifest: Manifest = { kind: 'erasure', salt, items: [log.erase(0), log.erase(1)] };
  log.seal('m1', manifest);
  const lines = bundleOf({ logs: [log], manifests: [{ id: 'm1', manifest }] });
  const policy = lines.findIndex(({ type }) => type === 'policy');
  expect(await codesOf(lines.toSpliced(policy, 0, lines[policy] as BundleLine))).toEqual([
    'invalid',
    'bundle_malformed',
  ]);
  const at = lines.findIndex(({ type }) => type === 'manifest');
  const line = lines[at] as Extract<BundleLine, { type: 'manifest' }>;
  const parts = line.items.map((item) => ({ ...line, items: [item] }));
  expect(await codesOf(lines.toSpliced(at, 1, ...parts))).toEqual(['valid']);
  const [first = line, second = line] = parts;
  expect(await codesOf(lines.toSpliced(at, 1, first, { ...second, sealed: false }))).toEqual([
    'invalid',
    'bundle_malformed',
  ]);
});
