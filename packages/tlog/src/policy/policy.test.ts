import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../bytes.ts';
import { formatCheckpoint } from '../note/checkpoint.ts';
import { cosign, signatureOf } from '../note/sign-note.ts';
import type { NoteSignature } from '../note/signed-note.ts';
import { type SigningKey, signingKey } from '../note/signing-key.ts';
import { formatVerifierKey, verifierKey } from '../note/verifier-key.ts';
import { attempt, mangled, reasonOf } from '../testing.ts';
import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { formatPolicy } from './format-policy.ts';
import { parsePolicy } from './parse-policy.ts';
import { meetsQuorum, type Policy, type Quorum } from './policy.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';

const origin = 'example.com/log';
const keyOf = (name: string, byte: number, type: 'ed25519' | 'cosignature') =>
  signingKey({ name, type, seed: new Uint8Array(32).fill(byte) });
const log = keyOf(origin, 1, 'ed25519');
const nextLog = keyOf(origin, 2, 'ed25519');
const witnesses = ['x1', 'x2', 'x3', 'y1', 'y2'].map((name, at) =>
  keyOf(`w.example/${name}`, 10 + at, 'cosignature'),
);
const vkeys = witnesses.map(formatVerifierKey);

/** Two groups under one, as the example of the specification has them. */
const file = [
  '# logs',
  `log ${formatVerifierKey(log)} https://example.com/log/`,
  `\tlog  ${formatVerifierKey(nextLog)}\t`,
  '',
  ...['x1', 'x2', 'x3'].map((name, at) => `witness ${name} ${vkeys[at]}`),
  'group X 2 x1 x2 x3',
  ...['y1', 'y2'].map((name, at) => `witness ${name} ${vkeys[3 + at]} https://w.example/${name}`),
  'group Y any y1 y2',
  'group both all X Y',
  '  # the rule',
  'quorum both',
  '',
].join('\n');
const policy = parsePolicy(file);

const text = formatCheckpoint({ origin, size: 3, root: new Uint8Array(32), extensions: [] });
const cosigned = (names: string) =>
  names.split(' ').map((name) => cosign({ text }, { key: witnessOf(name), timestamp: 100 }));

function witnessOf(name: string): SigningKey {
  return witnesses.find((each) => each.name.endsWith(`/${name}`)) as SigningKey;
}

/** What comes of a checkpoint with these signatures under a policy. */
function verdict(signatures: readonly NoteSignature[], under: Policy = policy): string {
  return reasonOf(() => verifyCheckpoint({ text, signatures }, under));
}

describe('verifying by a policy', () => {
  test('a checkpoint of a listed log with a quorum is accepted, and its witnesses are told', () => {
    const signatures = [signatureOf(text, log), ...cosigned('x1 x3 y2')];
    const verified = verifyCheckpoint({ text, signatures }, policy);
    expect(verified.checkpoint).toMatchObject({ origin, size: 3 });
    expect(verified.logKeys.map((key) => key.keyId)).toEqual([log.keyId]);
    expect(verified.cosignatures.map(({ witness, timestamp }) => [witness.name, timestamp])).toEqual([
      ['x1', 100],
      ['x3', 100],
      ['y2', 100],
    ]);
  });

  test('every key of the log is good, alone or with others', () => {
    for (const keys of [[nextLog], [log, nextLog]]) {
      const signatures = [...keys.map((key) => signatureOf(text, key)), ...cosigned('x1 x2 y1')];
      expect(verifyCheckpoint({ text, signatures }, policy).logKeys.map((key) => key.keyId)).toEqual(
        keys.map((key) => key.keyId),
      );
    }
  });

  test.each([
    ['x1 x2 y1', 'accepted'],
    ['x1 x2 x3 y1 y2', 'accepted'],
    ['x1 x2 x3', 'quorum_missing'],
    ['x1 y1 y2', 'quorum_missing'],
    ['y1 y2', 'quorum_missing'],
    ['x1 x1 y1', 'quorum_missing'],
  ])('cosigned by %s it is %s', (names, expected) => {
    expect(verdict([signatureOf(text, log), ...cosigned(names)])).toBe(expected);
  });

  test('witnesses alone do not make a checkpoint the log’s', () => {
    expect(verdict(cosigned('x1 x2 x3 y1 y2'))).toBe('signature_missing');
  });

  test('a log of another origin, or none, is unknown', () => {
    const signatures = [signatureOf(text, log)];
    const other = { ...policy, logs: [{ key: keyOf('example.com/other', 1, 'ed25519') }] };
    expect(verdict(signatures, other)).toBe('log_unknown');
    expect(verdict(signatures, parsePolicy('quorum none\n'))).toBe('log_unknown');
    expect(verdict(signatures, { ...parsePolicy('quorum none\n'), logs: [{ key: log }] })).toBe('accepted');
  });

  test('a cosignature that does not hold condemns the checkpoint even where it is not needed', () => {
    const [good] = cosigned('x3') as [NoteSignature];
    const broken = { ...good, signature: good.signature.toReversed() };
    const enough = [signatureOf(text, log), ...cosigned('x1 x2 y1')];
    expect(verdict([...enough, broken])).toBe('signature_invalid');
  });

  test('adding a cosignature never undoes a quorum', () => {
    const some = fc.subarray([...policy.witnesses]);
    fc.assert(
      fc.property(some, fc.constantFrom(...policy.witnesses), (some, one) => {
        if (meetsQuorum(policy.quorum, new Set(some))) {
          expect(meetsQuorum(policy.quorum, new Set([...some, one]))).toBe(true);
        }
      }),
    );
  });
});

describe('policy files', () => {
  test('a file is read as it says', () => {
    expect(policy.logs.map(({ key, url }) => [key.keyId, url])).toEqual([
      [log.keyId, 'https://example.com/log/'],
      [nextLog.keyId, undefined],
    ]);
    expect(policy.witnesses.map(({ name }) => name)).toEqual(['x1', 'x2', 'x3', 'y1', 'y2']);
    expect(policy.quorum).toMatchObject({
      kind: 'group',
      threshold: 2,
      members: [{ threshold: 2 }, { threshold: 1 }],
    });
    expect(parsePolicy(`witness w ${vkeys[0]}\nquorum w\n`).quorum).toMatchObject({ kind: 'witness' });
  });

  test('a policy round-trips through its file', () => {
    expect(parsePolicy(formatPolicy(policy))).toEqual(policy);
    const simple: Policy = { logs: [{ key: log }], witnesses: [], quorum: { kind: 'none' } };
    expect(formatPolicy(simple)).toBe(`log ${formatVerifierKey(log)}\nquorum none\n`);
    const witness = { name: 'a b', key: witnesses[0] as SigningKey };
    const spaced: Policy = { logs: [], witnesses: [witness], quorum: { kind: 'witness', witness } };
    expect(reasonOf(() => formatPolicy(spaced))).toBe('bad_policy');
  });

  test('names are octets: what looks alike is not the same, and what is no UTF-8 is still a name', () => {
    const kelvin = `witness K ${vkeys[0]}\nwitness \u212a ${vkeys[1]}\nquorum \u212a\n`;
    expect(parsePolicy(kelvin).quorum).toMatchObject({ witness: { name: '\u212a' } });
    const lines = [
      concatBytes([encodeText('witness '), Uint8Array.of(0xff), encodeText(` ${vkeys[0]}\n`)]),
      concatBytes([encodeText('witness '), Uint8Array.of(0xfe), encodeText(` ${vkeys[1]}\nquorum `)]),
      Uint8Array.of(0xfe, 0x0a),
    ];
    const { quorum, witnesses: read } = parsePolicy(concatBytes(lines));
    expect(quorum).toEqual({ kind: 'witness', witness: read[1] });
  });

  const w0 = `witness a ${vkeys[0]}\n`;
  const w1 = `witness b ${vkeys[1]}\n`;
  test.each([
    ['no quorum', w0, 'bad_policy'],
    ['two quorums', 'quorum none\nquorum none\n', 'bad_policy'],
    ['a last line cut short', `${w0}quorum none`, 'bad_policy'],
    ['a carriage return', 'quorum none\r\n', 'bad_policy'],
    ['U+007F', '# \u007f\nquorum none\n', 'bad_policy'],
    ['an unknown word', 'witnes a\nquorum none\n', 'bad_policy'],
    ['a word of every object', 'constructor a\nquorum none\n', 'bad_policy'],
    ['a quorum not defined', 'quorum a\n', 'bad_policy'],
    ['a quorum defined below', `quorum a\n${w0}`, 'bad_policy'],
    ['a quorum of two', `${w0}${w1}quorum a b\n`, 'bad_policy'],
    ['a member not defined', `${w0}group g all a b\nquorum g\n`, 'bad_policy'],
    ['a group of itself', `${w0}group g all a g\nquorum g\n`, 'bad_policy'],
    ['an empty group', `${w0}group g all\nquorum none\n`, 'bad_policy'],
    ['a member twice', `${w0}group g 1 a a\nquorum g\n`, 'bad_policy'],
    ['a member of two groups', `${w0}${w1}group g any a b\ngroup h any a\nquorum g\n`, 'bad_policy'],
    ['the member none', `${w0}group g any none a\nquorum g\n`, 'bad_policy'],
    ['the name none', `witness none ${vkeys[0]}\nquorum none\n`, 'bad_policy'],
    ['a name twice', `${w0}witness a ${vkeys[1]}\nquorum a\n`, 'bad_policy'],
    ['a group named as a witness', `${w0}${w1}group a any b\nquorum a\n`, 'bad_policy'],
    ['a threshold of 0', `${w0}group g 0 a\nquorum g\n`, 'bad_policy'],
    ['a threshold beyond the members', `${w0}group g 2 a\nquorum g\n`, 'bad_policy'],
    ['a threshold with a sign', `${w0}group g +1 a\nquorum g\n`, 'bad_policy'],
    [
      'a public key twice',
      `${w0}witness b ${formatVerifierKey(keyOf('other', 10, 'cosignature'))}\nquorum a\n`,
      'bad_policy',
    ],
    [
      'a log twice',
      `log ${formatVerifierKey(log)}\nlog ${formatVerifierKey(log)}\nquorum none\n`,
      'bad_policy',
    ],
    ['a key that is none', 'log example.com\nquorum none\n', 'bad_policy'],
    ['a witness without a name', `witness ${vkeys[0]}\nquorum none\n`, 'bad_policy'],
    ['a line too long', `witness a ${vkeys[0]} https://a b\nquorum a\n`, 'bad_policy'],
    ['a witness with a key for notes', `witness a ${formatVerifierKey(log)}\nquorum a\n`, 'unsupported_key'],
    ['more bytes than the limit', `# ${'x'.repeat(1_000_000)}\nquorum none\n`, 'too_large'],
  ])('a file with %s is refused', (_, source, reason) => {
    expect(reasonOf(() => parsePolicy(source))).toBe(reason);
  });

  test('a refusal names its line', () => {
    expect(() => parsePolicy(`# one\n${w0}quorum b\n`)).toThrow('policy line 3: b is not defined above');
  });

  test('256 witnesses and groups of groups are read, and no more', () => {
    expect(parsePolicy(`${many(256)}quorum w255\n`).witnesses).toHaveLength(256);
    expect(reasonOf(() => parsePolicy(`${many(257)}quorum none\n`))).toBe('too_large');
    expect(depthOf(parsePolicy(`${w0}${nested(256)}quorum g255\n`).quorum)).toBe(256);
    expect(reasonOf(() => parsePolicy(`${w0}${nested(257)}quorum none\n`))).toBe('too_large');
  });

  test('any bytes are refused or are a policy', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mangled(encodeText(file))), (bytes) => {
        const read = attempt(() => parsePolicy(bytes));
        if (!(read instanceof TlogError)) expect(read.quorum.kind).toMatch(/^(none|witness|group)$/);
      }),
      { numRuns: 1_000 },
    );
  });
});

/** So many witnesses w0, w1 ... with different keys. */
function many(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => {
    const publicKey = new Uint8Array(32).fill(at & 255, 0, 2).fill(at >> 8, 2);
    return `witness w${at} ${vkeyOf(`w${at}`, publicKey)}\n`;
  });
  return lines.join('');
}

/** So many groups g0, g1 ..., each a member of the next. */
function nested(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, at) => `group g${at} all ${at === 0 ? 'a' : `g${at - 1}`}\n`,
  );
  return lines.join('');
}

function vkeyOf(name: string, publicKey: Uint8Array): string {
  return formatVerifierKey(verifierKey({ name, type: 'cosignature', publicKey }));
}

function depthOf(quorum: Quorum): number {
  return quorum.kind === 'group' ? 1 + Math.max(...quorum.members.map(depthOf)) : 0;
}
