import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCheckpoint, parseCheckpoint } from '../note/checkpoint.ts';
import { cosign, signatureOf, signNote } from '../note/sign-note.ts';
import { formatNote, formatSignature, parseNote } from '../note/signed-note.ts';
import { type SigningKey, signingKey } from '../note/signing-key.ts';
import { verifyNote } from '../note/verify-note.ts';
import { attempt, leavesOf, mangled, reasonOf, turnBit } from '../testing.ts';
import { encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { rootOf } from '../tree/compact-range.ts';
import { consistencyRanges, readProof } from '../tree/proof-ranges.ts';
import { readerOf } from '../tree/subtrees.ts';
import { verifyConsistency } from '../tree/verify-consistency.ts';
import {
  type AddCheckpointParts,
  formatAddCheckpoint,
  parseAddCheckpoint,
  parseWitnessSize,
} from './add-checkpoint.ts';
import { readCosignatures } from './read-cosignatures.ts';
import { type WitnessAnswer, witnessCheckpoint } from './witness-checkpoint.ts';

const keyOf = (name: string, byte: number, type: 'ed25519' | 'cosignature' = 'ed25519'): SigningKey =>
  signingKey({ name, type, seed: new Uint8Array(32).fill(byte) });
const origin = 'log.example/t1';
const log = keyOf(origin, 1);
const key = keyOf('witness.example/w', 2, 'cosignature');
const now = 1_800_000_000;

/** Two histories of the same log: `forked` differs from the eighth entry on. */
const shared = leavesOf(8);
const histories = {
  honest: [...shared, ...leavesOf(32, 1)],
  forked: [...shared, ...leavesOf(32, 2)],
};
type History = keyof typeof histories;
const readers = { honest: readerOf(histories.honest), forked: readerOf(histories.forked) };
const rootAt = (size: number, history: History) => rootOf(histories[history].slice(0, size));
const textAt = (size: number, history: History = 'honest') =>
  formatCheckpoint({ origin, size, root: rootAt(size, history), extensions: [] });
const noteAt = (size: number, history: History = 'honest') => signNote(textAt(size, history), [log]);
const proofOf = (from: number, to: number, history: History = 'honest') =>
  from === 0 ? [] : readProof(consistencyRanges(from, to), readers[history]);

const bodyOf = (parts: AddCheckpointParts) => encodeText(formatAddCheckpoint(parts));
const body = (...lines: string[]) => encodeText(lines.join(''));
const decide = (parts: AddCheckpointParts, state?: string): WitnessAnswer =>
  witnessCheckpoint({ request: parseAddCheckpoint(bodyOf(parts)), state, logs: [{ key: log }], key, now });
const grow = (from: number, to: number, history: History = 'honest'): AddCheckpointParts => ({
  oldSize: from,
  proof: proofOf(from, to, history),
  note: noteAt(to, history),
});

/** The state of a witness that has cosigned this size. */
function stateAt(size: number): string {
  const answer = decide(grow(0, size));
  if (answer.status !== 200) throw new Error(answer.body);
  return answer.newState;
}

describe('requests', () => {
  test('what is written is read back', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(hash, { maxLength: 63 }), (oldSize, proof) => {
        const read = parseAddCheckpoint(bodyOf({ oldSize, proof, note: noteAt(9) }));
        expect(read).toMatchObject({ oldSize, proof, checkpoint: { origin, size: 9 } });
        expect(formatNote(read.note)).toBe(noteAt(9));
      }),
      { numRuns: 30 },
    );
  });

  const note = noteAt(9);
  test.each([
    ['nothing', '', 'bad_request'],
    ['no old size', `\n${note}`, 'bad_request'],
    ['another word', `new 3\n\n${note}`, 'bad_request'],
    ['a leading zero', `old 03\n\n${note}`, 'bad_request'],
    ['a sign', `old -3\n\n${note}`, 'bad_request'],
    ['two spaces', `old  3\n\n${note}`, 'bad_request'],
    ['a blank behind the size', `old 3 \n\n${note}`, 'bad_request'],
    ['carriage returns', `old 3\r\n\n${note}`, 'bad_request'],
    ['a size beyond 2^53', `old 9007199254740992\n\n${note}`, 'too_large'],
    ['a hash of 31 bytes', `old 3\n${Buffer.alloc(31).toString('base64')}\n\n${note}`, 'bad_request'],
    ['a hash that is no base64', `old 3\n!\n\n${note}`, 'bad_base64'],
    ['64 hashes', `old 3\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n${note}`, 'too_large'],
    ['no checkpoint', 'old 3\n\n', 'bad_note'],
    ['an unsigned checkpoint', `old 3\n\n${textAt(9)}`, 'bad_note'],
    ['a note that is no checkpoint', `old 3\n\n${signNote('text\n', [log])}`, 'bad_checkpoint'],
    ['bytes beyond the limit', `old 3\n\n${note}${'x'.repeat(131_072)}`, 'too_large'],
  ])('a request with %s is refused', (_, body, reason) => {
    expect(reasonOf(() => parseAddCheckpoint(encodeText(body)))).toBe(reason);
  });

  test('any bytes are refused, or are decided on without harm', () => {
    const anything = fc.oneof(
      { weight: 4, arbitrary: mangled(bodyOf(grow(3, 9))) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
    );
    const state = stateAt(3);
    fc.assert(
      fc.property(anything, (bytes) => {
        const request = attempt(() => parseAddCheckpoint(bytes));
        if (request instanceof TlogError) return;
        const answer = witnessCheckpoint({ request, state, logs: [{ key: log }], key, now });
        if (answer.status === 200) expect(request.note.text).toBe(textAt(9));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what a witness cosigns', () => {
  test('the first sight of a log, and what grows out of it', () => {
    let state: string | undefined;
    for (const [from, to] of [
      [0, 0],
      [0, 5],
      [5, 5],
      [5, 8],
      [8, 40],
    ] as const) {
      const answer = decide(grow(from, to), state);
      if (answer.status !== 200) throw new Error(`${from} to ${to}: ${answer.body}`);
      const verified = verifyNote(parseNote(`${textAt(to)}\n${answer.body}`), [key]);
      expect(verified).toEqual([{ key, timestamp: now }]);
      // What monitors are shown, and what the next decision stands on.
      expect(verifyNote(parseNote(answer.newState), [log, key])).toHaveLength(2);
      state = answer.newState;
    }
  });

  test('signatures of others are neither trusted nor kept', () => {
    const text = textAt(9);
    const others = [keyOf(origin, 8), keyOf('other.example', 9)].map((each) => signatureOf(text, each));
    const note = formatNote({ text, signatures: [...others, signatureOf(text, log)] });
    const answer = decide({ oldSize: 0, proof: [], note });
    if (answer.status !== 200) throw new Error(answer.body);
    expect(parseNote(answer.newState).signatures.map(({ name }) => name)).toEqual([origin, key.name]);
  });

  test('a log of two keys is witnessed when either signs', () => {
    const next = keyOf(origin, 7);
    const logs = [{ key: log }, { key: next }];
    for (const keys of [[log], [next], [log, next]]) {
      const note = signNote(textAt(9), keys);
      const request = parseAddCheckpoint(bodyOf({ oldSize: 0, proof: [], note }));
      const answer = witnessCheckpoint({ request, logs, key, now });
      if (answer.status !== 200) throw new Error(answer.body);
      expect(parseNote(answer.newState).signatures).toHaveLength(keys.length + 1);
    }
  });
});

describe('what a witness refuses', () => {
  const otherLog = keyOf('log.example/t2', 1);
  const otherText = textAt(9).replace(origin, otherLog.name);
  const text = textAt(9);
  const good = signatureOf(text, log);
  const broken = { ...good, signature: turnBit(good.signature, 77) };
  const noteOf = (...signatures: (typeof good)[]) => formatNote({ text, signatures });
  const start = { oldSize: 0, proof: [] };
  const emptyOfOtherRoot = textAt(0).replace(/[^\n]{44}\n$/, `${Buffer.alloc(32).toString('base64')}\n`);
  const short = grow(5, 9).proof.slice(1);
  const long = [...grow(5, 9).proof, new Uint8Array(32)];

  test.each<[string, number, AddCheckpointParts, number?]>([
    ['an unknown log', 404, { ...start, note: signNote(otherText, [otherLog]) }],
    ['a known key under the name of another log', 404, { ...start, note: signNote(otherText, [log]) }],
    ['no signature of the log', 403, { ...start, note: signNote(text, [keyOf(origin, 9)]) }],
    ['a signature of the log that does not hold', 403, { ...start, note: noteOf(broken) }],
    ['one such beside a good one', 403, { ...start, note: noteOf(good, broken) }],
    ['an old size beyond the checkpoint', 400, { ...grow(0, 9), oldSize: 10 }, 10],
    ['an old size that the witness has not seen', 409, grow(5, 9)],
    ['the first sight, again', 409, grow(0, 9), 5],
    ['a replay of an older step', 409, grow(3, 5), 9],
    ['a rollback', 409, grow(5, 7), 9],
    ['an empty tree with the root of none', 422, { ...start, note: signNote(emptyOfOtherRoot, [log]) }],
    ['a proof from nothing', 422, { ...grow(0, 9), proof: [new Uint8Array(32)] }],
    ['a proof to the same size', 422, { ...grow(9, 9), proof: [new Uint8Array(32)] }, 9],
    ['no proof', 422, { ...grow(5, 9), proof: [] }, 5],
    ['a short proof', 422, { ...grow(5, 9), proof: short }, 5],
    ['a long proof', 422, { ...grow(5, 9), proof: long }, 5],
    ['a fork of the same size', 422, grow(12, 12, 'forked'), 12],
    ['a larger fork', 422, grow(12, 20, 'forked'), 12],
  ])('%s', (_, status, ...[parts, seen]) => {
    const answer = decide(parts, seen === undefined ? undefined : stateAt(seen));
    expect(answer).toMatchObject({ status, body: expect.stringMatching(/^.+\n$/) });
    // What the log signed is kept against it, and nothing that it did not sign.
    expect('evidence' in answer ? answer.evidence : undefined).toBe(status === 422 ? parts.note : undefined);
    if (status === 409) expect(parseWitnessSize(encodeText(answer.body))).toBe(seen ?? 0);
  });

  test('any bit turned in the proof', () => {
    const state = stateAt(5);
    const parts = grow(5, 39);
    for (const [at, hash] of parts.proof.entries()) {
      for (const bit of [0, 100, 255]) {
        const proof = parts.proof.with(at, turnBit(hash, bit));
        expect(decide({ ...parts, proof }, state).status).toBe(422);
      }
    }
  });

  test('to go on from a state that it cannot read, or that is of another log', () => {
    expect(reasonOf(() => decide(grow(5, 9), 'nonsense'))).toBe('bad_note');
    expect(reasonOf(() => decide(grow(5, 9), ''))).toBe('bad_note');
    expect(reasonOf(() => decide(grow(5, 9), stateAt(5).replaceAll(origin, 'log.example/t2')))).toBe(
      'bad_checkpoint',
    );
  });
});

test('whatever is asked in whatever order, all that one witness cosigns is one history', () => {
  const size = fc.nat({ max: 40 });
  const history = fc.constantFrom<History>('honest', 'forked');
  const ask = fc.record({
    // Undefined stands for the size that the witness has, as 409 tells it.
    oldSize: fc.option(size, { nil: undefined, freq: 2 }),
    size,
    history,
    proofOf: fc.constantFrom('asked', 'honest', 'none'),
  });
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 25 }), (asks) => {
      let state: string | undefined;
      for (const { oldSize, size, history, proofOf: kind } of asks) {
        const last = state === undefined ? undefined : parseCheckpoint(parseNote(state).text);
        const from = oldSize ?? last?.size ?? 0;
        const proof =
          kind === 'none' || from > size ? [] : proofOf(from, size, kind === 'asked' ? history : 'honest');
        const answer = decide({ oldSize: from, proof, note: noteAt(size, history) }, state);
        if (answer.status !== 200) continue;
        const next = parseCheckpoint(parseNote(answer.newState).text);
        expect(next.root).toEqual(rootAt(next.size, history));
        if (last && last.size > 0) {
          expect(next.size).toBeGreaterThanOrEqual(last.size);
          verifyConsistency({ from: last, to: next, proof: proofOf(last.size, next.size, history) });
        }
        state = answer.newState;
      }
    }),
    { numRuns: 200 },
  );
});

describe('answers', () => {
  const text = textAt(9);
  const cosigned = (by: SigningKey, timestamp = now) =>
    formatSignature(cosign({ text }, { key: by, timestamp }));
  const other = keyOf('other.example', 3, 'cosignature');
  const reply = (bytes: Uint8Array) => readCosignatures({ body: bytes, text, keys: [key] });

  test('the cosignature of the witness is taken, those of others are left out', () => {
    const expected = cosign({ text }, { key, timestamp: now });
    expect(reply(body(cosigned(key)))).toEqual([expected]);
    expect(reply(body(cosigned(other), cosigned(key), cosigned(other)))).toEqual([expected]);
    expect(reply(body(cosigned(key), cosigned(key, now + 5)))).toEqual([expected]);
  });

  test.each([
    ['of others only', body(cosigned(other)), 'signature_missing'],
    [
      'of another checkpoint',
      body(formatSignature(cosign({ text: textAt(8) }, { key, timestamp: now }))),
      'signature_invalid',
    ],
    ['without a time', body(cosigned(key, 0)), 'signature_invalid'],
    ['without a time, before one with it', body(cosigned(key, 0), cosigned(key)), 'signature_invalid'],
    [
      'one good and one bad',
      body(
        cosigned(key),
        formatSignature({ ...cosign({ text }, { key, timestamp: now }), signature: new Uint8Array(72) }),
      ),
      'signature_invalid',
    ],
    ['nothing', body(), 'bad_note'],
    ['a page', encodeText('<html>'), 'bad_note'],
    ['no newline', encodeText(cosigned(key).trimEnd()), 'bad_note'],
    ['an empty line first', body('\n', cosigned(key)), 'bad_note'],
    ['text before an empty line', body('more\n\n', cosigned(key)), 'bad_note'],
    ['too much', encodeText(cosigned(other).repeat(1_000)), 'too_large'],
  ])('an answer of %s is refused', (_, bytes, reason) => {
    expect(reasonOf(() => reply(bytes))).toBe(reason);
  });

  test('any bytes are refused or hold a cosignature that verifies', () => {
    fc.assert(
      fc.property(mangled(body(cosigned(other), cosigned(key))), (bytes) => {
        const found = attempt(() => reply(bytes));
        if (found instanceof TlogError) return;
        expect(verifyNote({ text, signatures: found }, [key])).toHaveLength(1);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['12', 'bad_request'],
    ['12\n\n', 'bad_request'],
    ['012\n', 'bad_request'],
    ['', 'bad_request'],
    ['\n', 'bad_request'],
    ['99999999999999999\n', 'too_large'],
  ])('%j is no size', (size, reason) => {
    expect(reasonOf(() => parseWitnessSize(encodeText(size)))).toBe(reason);
  });
});
