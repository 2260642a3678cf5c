import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attempt, mangled, reasonOf, turnBit } from '../testing.ts';
import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { hasControl } from './key-name.ts';
import { cosign, signatureOf, signNote } from './sign-note.ts';
import { formatNote, formatSignature, parseNote, parseSignature } from './signed-note.ts';
import { formatSigningKey, parseSigningKey, signingKey } from './signing-key.ts';
import { formatVerifierKey, parseVerifierKey, verifierKey } from './verifier-key.ts';
import { verifyNote } from './verify-note.ts';

/** The example of C2SP signed-note, "Verifier keys". */
const example = {
  vkey: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
  note: [
    'This is an example message.',
    '',
    '\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=',
    '',
  ].join('\n'),
};

const key = (name: string, byte: number, type: 'ed25519' | 'cosignature' = 'ed25519') =>
  signingKey({ name, type, seed: new Uint8Array(32).fill(byte) });
const log = key('example.com/log', 1);
const witness = key('witness.example/w', 2, 'cosignature');
const checkpoint: Checkpoint = {
  origin: 'example.com/log',
  size: 20_852_163,
  root: new Uint8Array(32).fill(5),
  extensions: [],
};

const line = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .filter((text) => !hasControl(text) && text.isWellFormed());
const noteText = fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => `${lines.join('\n')}\n`);
const keyName = fc.stringMatching(/^[!-*,-~\u00a1-\u024f]{1,20}$/);
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('keys', () => {
  test('the vkey of the specification has the id that is computed for it', () => {
    expect(formatVerifierKey(parseVerifierKey(example.vkey))).toBe(example.vkey);
  });

  test('keys round-trip through their text', () => {
    fc.assert(
      fc.property(
        keyName,
        seed,
        fc.constantFrom('ed25519' as const, 'cosignature' as const),
        (name, seed, type) => {
          const secret = signingKey({ name, seed, type });
          expect(parseSigningKey(formatSigningKey(secret))).toEqual(secret);
          const { seed: _, ...verifier } = secret;
          expect(parseVerifierKey(formatVerifierKey(secret))).toEqual(verifier);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('the same public key has another id under another type and another name', () => {
    const ids = [log, key('example.com/log', 1, 'cosignature'), key('example.com/b', 1)].map(
      (each) => each.keyId,
    );
    expect(new Set(ids).size).toBe(3);
  });

  test.each([
    ['another id', example.vkey.replace('530d903a', '530d903b'), 'bad_key'],
    ['another name', example.vkey.replace('/foo', '/fop'), 'bad_key'],
    ['an id in capitals', example.vkey.replace('530d903a', '530D903A'), 'bad_key'],
    ['no name', example.vkey.replace('example.com/foo', ''), 'bad_key'],
    ['a space in the name', example.vkey.replace('.com', ' com'), 'bad_key'],
    ['a Unicode space in the name', example.vkey.replace('.com', '\u2009com'), 'bad_key'],
    ['a short key', 'example.com/foo+530d903a+Aeky', 'bad_key'],
    [
      'an unknown type',
      'example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
      'unsupported_key',
    ],
    ['no padding where some is due', 'example.com/foo+530d903a+AekyeQ', 'bad_base64'],
    ['nothing', '', 'bad_key'],
  ])('a vkey with %s is refused', (_, vkey, reason) => {
    expect(reasonOf(() => parseVerifierKey(vkey))).toBe(reason);
  });

  test('any text is refused or is the key that was read', () => {
    const texts = mangled(encodeText(example.vkey)).map((bytes) => Buffer.from(bytes).toString());
    fc.assert(
      fc.property(texts, (text) => {
        const read = attempt(() => parseVerifierKey(text));
        if (!(read instanceof TlogError)) expect(formatVerifierKey(read)).toBe(text);
        attempt(() => parseSigningKey(`PRIVATE+KEY+${text}`));
      }),
      { numRuns: 1_000 },
    );
  });

  test('a refused private key is not quoted', () => {
    const text = formatSigningKey(log).replace(/[0-9a-f]{8}/, '00000000');
    const refused = attempt(() => parseSigningKey(text)) as TlogError;
    expect(refused.reason).toBe('bad_key');
    expect(refused.message).not.toContain(text.slice(-20));
    expect(reasonOf(() => parseSigningKey(formatVerifierKey(log)))).toBe('bad_key');
    expect(reasonOf(() => signingKey({ name: 'a', type: 'ed25519', seed: new Uint8Array(31) }))).toBe(
      'bad_key',
    );
    expect(reasonOf(() => verifierKey({ name: 'a', type: 'ed25519', publicKey: new Uint8Array(33) }))).toBe(
      'bad_key',
    );
  });
});

describe('signed notes', () => {
  test('the example of the specification verifies, and no other text does', () => {
    const verifier = parseVerifierKey(example.vkey);
    const note = parseNote(example.note);
    expect(verifyNote(note, [verifier])).toEqual([{ key: verifier }]);
    expect(formatNote(note)).toBe(example.note);
    const changed = parseNote(example.note.replace('message', 'massage'));
    expect(reasonOf(() => verifyNote(changed, [verifier]))).toBe('signature_invalid');
  });

  test('any text, signed by any keys, round-trips and verifies', () => {
    const names = fc.uniqueArray(keyName, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(noteText, names, seed, (text, names, seed) => {
        const keys = names.map((name) => signingKey({ name, type: 'ed25519', seed }));
        const written = signNote(text, keys);
        const note = parseNote(encodeText(written));
        expect(note.text).toBe(text);
        expect(formatNote(note)).toBe(written);
        expect(verifyNote(note, keys).map((each) => each.key)).toEqual(keys);
      }),
      { numRuns: 50 },
    );
  });

  test('signatures of unknown keys are ignored, even with a known name or a known id', () => {
    const other = signatureOf('text\n', key('example.com/other', 9));
    const sameName = { ...signatureOf('text\n', key(log.name, 9)) };
    const sameId = { ...other, keyId: log.keyId };
    const good = signatureOf('text\n', log);
    const note = { text: 'text\n', signatures: [other, sameName, sameId, good] };
    expect(verifyNote(note, [log])).toEqual([{ key: log }]);
    const unsigned = { ...note, signatures: [other, sameName, sameId] };
    expect(reasonOf(() => verifyNote(unsigned, [log]))).toBe('signature_missing');
    expect(reasonOf(() => verifyNote(note, []))).toBe('signature_missing');
  });

  test('one signature of a known key that does not hold condemns the note', () => {
    const good = signatureOf('text\n', log);
    const broken = { ...good, signature: turnBit(good.signature, 77) };
    const short = { ...good, signature: good.signature.slice(1) };
    for (const bad of [broken, short]) {
      for (const signatures of [[good, bad], [bad, good], [bad]]) {
        expect(reasonOf(() => verifyNote({ text: 'text\n', signatures }, [log]))).toBe('signature_invalid');
      }
    }
  });

  test('a turned bit anywhere in what a note says is noticed', () => {
    const text = formatCheckpoint(checkpoint);
    const note = encodeText(formatNote({ text, signatures: [signatureOf(text, log)] }));
    for (let bit = 0; bit < note.length * 8; bit += 1) {
      expect(
        reasonOf(() => verifyNote(parseNote(turnBit(note, bit)), [log])),
        String(bit),
      ).not.toBe('accepted');
    }
  });

  const signature = formatSignature(signatureOf('text\n', log));
  test.each([
    ['no signature', 'text\n\n', 'bad_note'],
    ['no empty line', `text\n${signature}`, 'bad_note'],
    ['no newline at the end', `text\n\n${signature.slice(0, -1)}`, 'bad_note'],
    ['a hyphen for the dash', `text\n\n${signature.replace('\u2014', '-')}`, 'bad_note'],
    ['no key name', `text\n\n\u2014  AAAAAAA=\n`, 'bad_note'],
    ['a plus in the key name', `text\n\n\u2014 a+b AAAAAAA=\n`, 'bad_note'],
    ['a no-break space in the key name', `text\n\n\u2014 a\u00a0b AAAAAAA=\n`, 'bad_note'],
    ['two spaces', `text\n\n${signature.replace(' example', '  example')}`, 'bad_note'],
    ['a word behind the signature', `text\n\n\u2014 a AAAAAAA= b\n`, 'bad_note'],
    ['a signature of the id alone', `text\n\n\u2014 a AAAAAA==\n`, 'bad_note'],
    ['a carriage return', `text\r\n\n${signature}`, 'bad_note'],
    ['a tab', `te\txt\n\n${signature}`, 'bad_note'],
    ['U+0000', `te\u0000xt\n\n${signature}`, 'bad_note'],
    ['base64 without padding', `text\n\n${signature.replace('=', '')}`, 'bad_base64'],
    ['base64 of the URL alphabet', `text\n\n\u2014 a AAAAAA_-\n`, 'bad_base64'],
    ['bits behind the base64', `text\n\n\u2014 a AAAAAAB=\n`, 'bad_base64'],
    ['a lone surrogate', `te\ud800xt\n\n${signature}`, 'bad_text'],
    ['101 signatures', `text\n\n${signature.repeat(101)}`, 'too_large'],
    ['more bytes than the limit', `${'x'.repeat(1_000_000)}\n\n${signature}`, 'too_large'],
    ['nothing', '', 'bad_note'],
  ])('a note with %s is refused', (_, note, reason) => {
    expect(reasonOf(() => parseNote(note))).toBe(reason);
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(reasonOf(() => parseNote(Uint8Array.of(0xff, ...encodeText(`text\n\n${signature}`))))).toBe(
      'bad_text',
    );
  });

  test('16 signatures and more are read, and a byte order mark is part of the text', () => {
    expect(parseNote(`\ufefftext\n\n${signature.repeat(100)}`)).toMatchObject({ text: '\ufefftext\n' });
  });

  test('what would not be read back is not written', () => {
    const good = signatureOf('text\n', log);
    expect(reasonOf(() => formatNote({ text: 'text', signatures: [good] }))).toBe('bad_note');
    expect(reasonOf(() => formatNote({ text: 'text\n', signatures: [] }))).toBe('bad_note');
    expect(reasonOf(() => formatNote({ text: 'a\tb\n', signatures: [good] }))).toBe('bad_note');
    expect(reasonOf(() => formatNote({ text: '\udc00\n', signatures: [good] }))).toBe('bad_text');
    expect(reasonOf(() => formatNote({ text: 'text\n', signatures: [{ ...good, name: 'a b' }] }))).toBe(
      'bad_note',
    );
    expect(reasonOf(() => formatSignature({ ...good, signature: new Uint8Array() }))).toBe('bad_note');
    expect(reasonOf(() => signatureOf('text\n', witness))).toBe('bad_argument');
    expect(parseSignature(signature.trimEnd())).toEqual(good);
  });

  test('any bytes are refused or are the note that was read', () => {
    const anything = fc.oneof(fc.uint8Array({ maxLength: 80 }), mangled(encodeText(example.note)));
    fc.assert(
      fc.property(anything, (bytes) => {
        const note = attempt(() => parseNote(bytes));
        if (note instanceof TlogError) return;
        expect(encodeText(formatNote(note))).toEqual(bytes);
        attempt(() => verifyNote(note, [parseVerifierKey(example.vkey)]));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('checkpoints', () => {
  test('a checkpoint round-trips', () => {
    const some = fc.record({
      origin: line.filter((text) => text !== ''),
      size: fc.maxSafeNat(),
      root: seed,
      extensions: fc.array(
        line.filter((text) => text !== ''),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(some, (checkpoint) => {
        expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
      }),
    );
  });

  const root = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
  test.each([
    ['no origin', `\n1\n${root}\n`, 'bad_checkpoint'],
    ['no root', 'a\n1\n', 'bad_checkpoint'],
    ['a root without newline', `a\n1\n${root}`, 'bad_checkpoint'],
    ['a leading zero', `a\n01\n${root}\n`, 'bad_checkpoint'],
    ['a sign', `a\n-1\n${root}\n`, 'bad_checkpoint'],
    ['digits that are not ASCII', `a\n\u0661\n${root}\n`, 'bad_checkpoint'],
    ['a size beyond 2^53', `a\n9007199254740992\n${root}\n`, 'too_large'],
    ['a size beyond 2^64', `a\n999999999999999999999\n${root}\n`, 'bad_checkpoint'],
    ['a short root', 'a\n1\nAAAA\n', 'bad_checkpoint'],
    ['an empty extension', `a\n1\n${root}\n\nb\n`, 'bad_checkpoint'],
    ['a root that is no base64', 'a\n1\n!\n', 'bad_base64'],
  ])('a text with %s is no checkpoint', (_, text, reason) => {
    expect(reasonOf(() => parseCheckpoint(text))).toBe(reason);
  });

  test('any bytes are refused or are the checkpoint that was read', () => {
    const anything = mangled(encodeText(formatCheckpoint(checkpoint))).map((bytes) =>
      Buffer.from(bytes).toString(),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const read = attempt(() => parseCheckpoint(text));
        if (!(read instanceof TlogError)) expect(formatCheckpoint(read)).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('cosignatures', () => {
  const text = formatCheckpoint(checkpoint);

  test('a cosigned checkpoint verifies and tells when', () => {
    const signatures = [signatureOf(text, log), cosign({ text }, { key: witness, timestamp: 1_679_315_147 })];
    const note = parseNote(formatNote({ text, signatures }));
    expect(verifyNote(note, [log, witness])).toEqual([
      { key: log },
      { key: witness, timestamp: 1_679_315_147 },
    ]);
    expect(verifyNote(note, [witness])).toHaveLength(1);
  });

  test('no bit of a cosignature can turn, its time included', () => {
    const good = cosign({ text }, { key: witness, timestamp: 1_679_315_147 });
    for (let bit = 0; bit < good.signature.length * 8; bit += 1) {
      const signatures = [{ ...good, signature: turnBit(good.signature, bit) }];
      expect(reasonOf(() => verifyNote({ text, signatures }, [witness]))).toBe('signature_invalid');
    }
    const short = [{ ...good, signature: good.signature.slice(8) }];
    expect(reasonOf(() => verifyNote({ text, signatures: short }, [witness]))).toBe('signature_invalid');
  });

  test('a plain signature is no cosignature', () => {
    const plain = signatureOf(text, { ...witness, type: 'ed25519' });
    expect(reasonOf(() => verifyNote({ text, signatures: [plain] }, [witness]))).toBe('signature_invalid');
  });

  test('only checkpoints are cosigned, by keys for it, at a time', () => {
    const refused = [
      () => cosign({ text: 'text\n' }, { key: witness, timestamp: 1 }),
      () => cosign({ text }, { key: log, timestamp: 1 }),
      () => cosign({ text }, { key: witness, timestamp: -1 }),
      () => cosign({ text }, { key: witness, timestamp: 1.5 }),
    ];
    expect(refused.map(reasonOf)).toEqual(['bad_checkpoint', 'bad_argument', 'bad_argument', 'bad_argument']);
    const good = cosign({ text }, { key: witness, timestamp: 1 });
    expect(reasonOf(() => verifyNote({ text: 'text\n', signatures: [good] }, [witness]))).toBe(
      'bad_checkpoint',
    );
  });
});
