import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  formatNote,
  formatVerifierKey,
  type Policy,
  parseCheckpoint,
  parseNote,
  parseSignature,
  signingKey,
  signNote,
  verifyCheckpoint,
  verifyNote,
} from '@annals/tlog';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestLog, post, startTestWitness, type TestLog, type TestWitness, testNow } from './testing.ts';
import { logIdOf, openWitnessStore } from './witness-store.ts';

const log = createTestLog('log.example/t1');
const other = createTestLog('log.example/t2');
const started: TestWitness[] = [];
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'annals-witness-'));
});
afterEach(async () => {
  for (const witness of started.splice(0)) await witness.close();
  await rm(dir, { recursive: true });
});

async function start(at = dir, logs: readonly TestLog[] = [log]): Promise<TestWitness> {
  const witness = await startTestWitness(at, logs);
  started.push(witness);
  return witness;
}

/** Start a witness that is killed at its first cosignature, and ask it for one. */
async function killed(moment: 'before' | 'after', body: string): Promise<void> {
  const file = join(import.meta.dirname, 'witness-that-dies.ts');
  const args = ['--conditions=@annals/source', file, dir, moment, log.origin];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [url] = (await once(child.stdout, 'data')) as [Buffer];
  await expect(post(String(url).trim(), body)).rejects.toThrow();
  expect(await ended).toEqual([null, 'SIGKILL']);
}

describe('over HTTP', () => {
  test('a log grows, witnesses cosign it, and a policy that asks for a quorum accepts it', async () => {
    const witnesses = [await start(join(dir, 'a')), await start(join(dir, 'b')), await start(join(dir, 'c'))];
    const members = witnesses.map(({ witness, url }, at) => ({
      kind: 'witness' as const,
      witness: { name: `w${at}`, key: witness.key, url },
    }));
    const policy: Policy = {
      logs: [{ key: log.key }],
      witnesses: members.map(({ witness }) => witness),
      quorum: { kind: 'group', name: 'two', threshold: 2, members },
    };
    for (const [from, to] of [
      [0, 3],
      [3, 8],
      [8, 50],
    ] as const) {
      const answers = await Promise.all(
        witnesses.slice(from === 8 ? 1 : 0).map((each) => each.post(log.grow(from, to))),
      );
      const cosignatures = answers.map(({ body }) => parseSignature(body.trimEnd()));
      const { signatures } = parseNote(log.noteAt(to));
      const note = formatNote({ text: log.textAt(to), signatures: [...signatures, ...cosignatures] });
      const verified = verifyCheckpoint(parseNote(note), policy);
      expect(verified.cosignatures.map(({ timestamp }) => timestamp)).toContain(
        Math.floor(testNow.getTime() / 1_000),
      );
    }
  });

  test('a forked view is refused, and kept as evidence beside what was cosigned', async () => {
    const witness = await start();
    await witness.post(log.grow(0, 12));
    const answer = await witness.post(log.grow(12, 12, 'forked'));
    expect(answer.status).toBe(422);
    expect((await witness.post(log.grow(12, 20, 'forked'))).status).toBe(422);
    expect((await witness.post(log.grow(12, 12, 'forked'))).status).toBe(422);
    const files = await readdir(join(dir, 'evidence'));
    expect(files).toHaveLength(2);
    const refusal = witness.events.find(({ event }) => event === 'refused') as { evidence: string };
    const { refused, cosigned } = JSON.parse(await readFile(refusal.evidence, 'utf8')) as Record<
      'refused' | 'cosigned',
      string
    >;
    const heads = [refused, cosigned].map((note) => {
      expect(verifyNote(parseNote(note), [log.key])).toHaveLength(1);
      return parseCheckpoint(parseNote(note).text);
    });
    expect(heads[0]?.size).toBe(heads[1]?.size);
    expect(heads[0]?.root).not.toEqual(heads[1]?.root);
    expect((await witness.post(log.grow(12, 30))).status).toBe(200);
  });

  test('each refusal has the status and the type that the specification gives', async () => {
    const witness = await start();
    const stranger = signingKey({ name: log.origin, type: 'ed25519', seed: new Uint8Array(32).fill(9) });
    await witness.post(log.grow(0, 5));
    const plain = 'text/plain; charset=utf-8';
    for (const [body, status, type] of [
      ['nonsense', 400, plain],
      [Uint8Array.of(0xff, 0, 0x80), 400, plain],
      ['', 400, plain],
      [log.grow(5, 9).replace('old 5', 'old 10'), 400, plain],
      [other.grow(0, 5), 404, plain],
      [`old 5\n\n${signNote(log.textAt(9), [stranger])}`, 403, plain],
      [log.grow(0, 9), 409, 'text/x.tlog.size'],
      [log.grow(6, 9), 409, 'text/x.tlog.size'],
      [`old 5\n\n${log.noteAt(9)}`, 422, plain],
      [log.grow(5, 9), 200, plain],
    ] as const) {
      const answer = await witness.post(body);
      expect([answer.status, answer.type]).toEqual([status, type]);
      if (status === 409) expect(answer.body).toBe('5\n');
    }
    expect(witness.events.filter(({ event }) => event === 'failed')).toEqual([]);
  });

  test('logs do not know of each other', async () => {
    const witness = await start(dir, [log, other]);
    expect((await witness.post(log.grow(0, 5))).status).toBe(200);
    expect((await witness.post(other.grow(0, 7))).status).toBe(200);
    expect((await witness.post(log.grow(5, 9))).status).toBe(200);
    expect((await witness.post(other.grow(0, 7))).body).toBe('7\n');
  });

  test('monitors read the newest checkpoint that was cosigned, and anybody the key', async () => {
    const witness = await start();
    const checkpoint = `${witness.url}/${logIdOf(log.origin)}/checkpoint`;
    expect((await fetch(checkpoint)).status).toBe(404);
    await witness.post(log.grow(0, 5));
    const { body } = await witness.post(log.grow(5, 9));
    expect(await (await fetch(checkpoint)).text()).toBe(log.noteAt(9) + body);
    expect(await (await fetch(witness.url)).text()).toBe(`${formatVerifierKey(witness.witness.key)}\n`);
    for (const [path, method, status] of [
      ['/add-checkpoint', 'GET', 405],
      ['/', 'POST', 405],
      ['/other', 'GET', 404],
      ['/add-checkpoint/', 'POST', 404],
      [`/${'..%2f'.repeat(13)}/checkpoint`, 'GET', 404],
      [`/${logIdOf(log.origin).toUpperCase()}/checkpoint`, 'GET', 404],
    ] as const) {
      expect((await fetch(witness.url + path, { method })).status, path).toBe(status);
    }
  });

  test('a body beyond the limit is refused before it is read whole', async () => {
    const witness = await start();
    const socket = connect(Number(new URL(witness.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n');
    socket.write('x'.repeat(200_000));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 /);
    expect((await witness.post(log.grow(0, 5))).status).toBe(200);
  });

  test('whatever bytes come in over a connection, the next request is answered', async () => {
    const witness = await start();
    const port = Number(new URL(witness.url).port);
    const head = `POST /add-checkpoint HTTP/1.1\r\nhost: a\r\ncontent-length: ${log.grow(0, 5).length + 50}\r\n\r\n`;
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 200 }).map((body) => Buffer.from(head + body)),
      fc.nat({ max: 400 }).map((length) => Buffer.from(head + log.grow(0, 5)).subarray(0, length)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(sent);
        socket.end();
        await once(socket.resume(), 'close');
      }),
      { numRuns: 60 },
    );
    expect(witness.events.filter(({ event }) => event === 'failed')).toEqual([]);
    expect((await witness.post(log.grow(0, 5))).status).toBe(200);
  });
});

describe('what it has seen', () => {
  test('a witness started again goes on from it, with the same key', async () => {
    const first = await start();
    await first.post(log.grow(0, 12));
    await started.pop()?.close();
    const second = await start();
    expect(formatVerifierKey(second.witness.key)).toBe(formatVerifierKey(first.witness.key));
    expect((await second.post(log.grow(0, 12))).body).toBe('12\n');
    expect((await second.post(log.grow(12, 20, 'forked'))).status).toBe(422);
    expect((await second.post(log.grow(12, 20))).status).toBe(200);
  });

  test('of requests at once, to two witnesses on one folder even, all that is cosigned is one history', async () => {
    const witnesses = [await start(), await start()];
    let from = 8;
    let settled: 'honest' | 'forked' | undefined;
    await witnesses[0]?.post(log.grow(0, 8));
    for (const to of [12, 12, 30, 41]) {
      const histories = (['honest', 'forked'] as const).flatMap((history) => [history, history, history]);
      const answers = await Promise.all(
        histories.flatMap((history) =>
          witnesses.map(async (each) => ({ history, ...(await each.post(log.grow(from, to, history))) })),
        ),
      );
      const cosigned = answers.filter(({ status }) => status === 200);
      expect(cosigned.length).toBeGreaterThan(0);
      settled ??= cosigned[0]?.history;
      for (const { history } of cosigned) expect(history).toBe(settled);
      for (const { status } of answers) expect([200, 409, 422]).toContain(status);
      from = to;
    }
    expect(witnesses.flatMap(({ events }) => events.filter(({ event }) => event === 'failed'))).toEqual([]);
  });

  test('whoever decided from an older state cannot put it back, though its place was cleaned up', async () => {
    const store = openWitnessStore(dir);
    const id = logIdOf(log.origin);
    const seen = await store.read(id);
    for (const size of [1, 2, 3]) {
      expect(await store.advance(id, { after: size - 1, note: log.noteAt(size) })).toBe(true);
    }
    expect(await store.advance(id, { after: seen.generation, note: log.noteAt(9, 'forked') })).toBe(false);
    expect(await store.advance(id, { after: 2, note: log.noteAt(9, 'forked') })).toBe(false);
    expect(await store.read(id)).toEqual({ generation: 3, note: log.noteAt(3) });
    expect(await readdir(join(dir, 'logs', id))).toEqual(['3.note']);
  });

  test('what a killed process left behind disturbs nobody', async () => {
    const witness = await start();
    await witness.post(log.grow(0, 12));
    const logDir = join(dir, 'logs', logIdOf(log.origin));
    await writeFile(join(logDir, 'half.part'), log.noteAt(20).slice(0, 50));
    await writeFile(join(logDir, '0.note'), 'older');
    expect((await witness.post(log.grow(12, 20))).status).toBe(200);
    expect(await readdir(logDir)).toEqual(['2.note', 'half.part']);
  });

  test('a state that cannot be read is no first sight: nothing is cosigned', async () => {
    const witness = await start();
    await witness.post(log.grow(0, 12));
    const file = join(dir, 'logs', logIdOf(log.origin), '1.note');
    for (const damaged of ['', 'nonsense', (await readFile(file, 'utf8')).slice(0, 40), other.noteAt(12)]) {
      await writeFile(file, damaged);
      for (const body of [log.grow(0, 12, 'forked'), log.grow(12, 20)]) {
        expect((await witness.post(body)).status).toBe(500);
      }
    }
    expect(witness.events.filter(({ event }) => event === 'failed')).toHaveLength(8);
  });

  test.skipIf(process.platform === 'win32')("its key and its folder are its owner's", async () => {
    const witness = await start(join(dir, 'new'));
    await witness.post(log.grow(0, 12));
    for (const name of ['witness.key', join('logs', logIdOf(log.origin), '1.note')]) {
      expect((await stat(join(dir, 'new', name))).mode & 0o077).toBe(0);
    }
    expect((await stat(join(dir, 'new'))).mode & 0o077).toBe(0);
  });
});

describe('killed', () => {
  test('between persisting and answering, it knows what it was about to vouch for', async () => {
    await killed('after', log.grow(0, 12));
    const witness = await start();
    expect((await witness.post(log.grow(0, 12, 'forked'))).body).toBe('12\n');
    expect((await witness.post(log.grow(12, 12, 'forked'))).status).toBe(422);
    // The log that never got its answer asks again.
    expect((await witness.post(log.grow(12, 12))).status).toBe(200);
  });

  test('before persisting, it has vouched for nothing', async () => {
    await killed('before', log.grow(0, 12, 'forked'));
    const witness = await start();
    expect((await witness.post(log.grow(0, 12))).status).toBe(200);
  });
});
