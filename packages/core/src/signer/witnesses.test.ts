import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  consistencyRanges,
  cosign,
  formatCheckpoint,
  formatNote,
  formatSignature,
  hashLeaf,
  type Policy,
  type PolicyWitness,
  parseAddCheckpoint,
  parseNote,
  readerOf,
  readProof,
  rootOf,
  signingKey,
  signNote,
  verifyCheckpoint,
  witnessCheckpoint,
} from '@annals/tlog';
import { afterEach, expect, test } from 'vitest';
import { type CollectOptions, collectCosignatures, type WitnessMemory } from './witnesses.ts';

const origin = 'log.example/t1';
const now = 1_800_000_000;
const logKey = signingKey({ name: origin, type: 'ed25519', seed: new Uint8Array(32).fill(1) });
const keyOf = (byte: number) =>
  signingKey({ name: `witness.example/${byte}`, type: 'cosignature', seed: new Uint8Array(32).fill(byte) });
const leaves = Array.from({ length: 40 }, (_, index) => hashLeaf(Uint8Array.of(index)));
const forked = leaves.map((leaf, index) => (index < 8 ? leaf : hashLeaf(leaf)));

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface TestWitness {
  readonly witness: PolicyWitness;
  /** The old size and the proof of each request. */
  readonly asked: { oldSize: number; hashes: number; request: IncomingMessage }[];
  state: string | undefined;
}

/** A witness that keeps what it saw in memory. */
async function startWitness(byte: number): Promise<TestWitness> {
  const key = keyOf(byte);
  const kept: { state: string | undefined; asked: TestWitness['asked'] } = { state: undefined, asked: [] };
  const answerTo = async (request: IncomingMessage, response: ServerResponse) => {
    const read = parseAddCheckpoint(await buffer(request));
    kept.asked.push({ oldSize: read.oldSize, hashes: read.proof.length, request });
    const answer = witnessCheckpoint({ request: read, state: kept.state, logs: [{ key: logKey }], key, now });
    if (answer.status === 200) kept.state = answer.newState;
    response.writeHead(answer.status).end(answer.body);
  };
  const url = await listen((request, response) => void answerTo(request, response));
  return Object.assign(kept, { witness: { name: `w${byte}`, key, url: `${url}/` } });
}

function recordingLog() {
  const told: { level: string; reason: unknown }[] = [];
  const at = (level: string) => (fields: { reason?: unknown }) =>
    void told.push({ level, reason: fields.reason });
  return { told, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

/** Collect for the tree of this size, as the log that holds `tree`. */
function collect(
  size: number,
  witnesses: readonly PolicyWitness[],
  { tree = leaves, ...more }: Partial<CollectOptions> & { readonly tree?: readonly Uint8Array[] } = {},
) {
  const text = formatCheckpoint({ origin, size, root: rootOf(tree.slice(0, size)), extensions: [] });
  const note = signNote(text, [logKey]);
  return collectCosignatures({
    policy: { witnesses },
    note,
    prove: (from) => Promise.resolve(readProof(consistencyRanges(from, size), readerOf(tree))),
    log: recordingLog().log,
    retryMs: 1,
    ...more,
  }).then((collected) => ({ ...collected, text, note }));
}

test('a quorum of witnesses cosigns a log as it grows, and the policy accepts it', async () => {
  const [a, b] = [await startWitness(2), await startWitness(3)];
  const members = [a, b].map(({ witness }) => ({ kind: 'witness' as const, witness }));
  const policy: Policy = {
    logs: [{ key: logKey }],
    witnesses: members.map(({ witness }) => witness),
    quorum: { kind: 'group', name: 'both', threshold: 2, members },
  };
  const memory: WitnessMemory = new Map();
  for (const size of [3, 8, 8, 40]) {
    const { cosignatures, missing, text, note } = await collect(size, policy.witnesses, { memory });
    expect(missing).toEqual([]);
    const signed = parseNote(note).signatures;
    const whole = parseNote(formatNote({ text, signatures: [...signed, ...cosignatures] }));
    expect(verifyCheckpoint(whole, policy).cosignatures).toHaveLength(2);
  }
  // Nothing is asked twice where the size is remembered.
  expect(a.asked.map(({ oldSize }) => oldSize)).toEqual([0, 3, 8, 8]);
});

test('a witness is asked for its size where nothing is remembered, or something else', async () => {
  const a = await startWitness(2);
  const memory: WitnessMemory = new Map();
  await collect(5, [a.witness]);
  await collect(9, [a.witness]);
  await collect(20, [a.witness], { memory });
  a.state = undefined;
  const { missing } = await collect(30, [a.witness], { memory });
  expect(missing).toEqual([]);
  expect(a.asked.map(({ oldSize }) => oldSize)).toEqual([0, 0, 5, 0, 9, 20, 0]);
});

test('a witness is sent the checkpoint and its proof, and nothing that tells who asks', async () => {
  const a = await startWitness(2);
  await collect(5, [a.witness]);
  const { request } = a.asked[0] as TestWitness['asked'][number];
  expect([request.method, request.url]).toEqual(['POST', '/add-checkpoint']);
  for (const name of ['authorization', 'cookie', 'origin', 'referer'])
    expect(request.headers).not.toHaveProperty(name);
});

test('a fork is not cosigned, is logged once, and leaves the other witnesses alone', async () => {
  const [a, b] = [await startWitness(2), await startWitness(3)];
  await collect(12, [a.witness]);
  const { log, told } = recordingLog();
  const memory: WitnessMemory = new Map();
  for (const size of [20, 20, 30]) {
    const { cosignatures, missing } = await collect(size, [a.witness, b.witness], {
      log,
      memory,
      tree: forked,
    });
    expect(cosignatures.map(({ name }) => name)).toEqual([b.witness.key.name]);
    expect(missing).toEqual(['w2']);
  }
  expect(told).toEqual([{ level: 'warn', reason: expect.stringContaining('ANOTHER history') as string }]);
  // The honest log goes on.
  expect((await collect(40, [a.witness], { log, memory })).missing).toEqual([]);
  expect(told.at(-1)?.level).toBe('info');
});

test('a checkpoint older than what a witness has seen is not cosigned', async () => {
  const a = await startWitness(2);
  await collect(20, [a.witness]);
  const { log, told } = recordingLog();
  expect((await collect(12, [a.witness], { log })).missing).toEqual(['w2']);
  expect(told).toEqual([{ level: 'warn', reason: expect.stringContaining('larger checkpoint') as string }]);
  expect(a.asked).toHaveLength(2);
});

const text = formatCheckpoint({ origin, size: 9, root: rootOf(leaves.slice(0, 9)), extensions: [] });
const good = formatSignature(cosign({ text }, { key: keyOf(2), timestamp: now }));
const foreign = formatSignature(cosign({ text }, { key: keyOf(3), timestamp: now }));
const other = formatSignature(
  cosign({ text: text.replace('\n9\n', '\n8\n') }, { key: keyOf(2), timestamp: now }),
);

test.each<[string, { status: number; body?: string; headers?: Record<string, string> }, number]>([
  ['a cosignature of another checkpoint', { status: 200, body: other }, 1],
  ['a cosignature of another witness', { status: 200, body: foreign }, 1],
  ['a page', { status: 200, body: '<html>' }, 1],
  ['nothing', { status: 200 }, 1],
  ['more than an answer may hold', { status: 200, body: foreign.repeat(1_000) + good }, 1],
  ['a size that is none', { status: 409, body: '-1\n' }, 1],
  ['the size it was asked with', { status: 409, body: '0\n' }, 1],
  ['a larger size', { status: 409, body: '10\n' }, 1],
  ['that the log is unknown', { status: 404 }, 1],
  ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, 1],
  ['that it is busy', { status: 429 }, 4],
  ['that it has failed', { status: 500 }, 4],
])('a witness that answers with %s gives nothing, and is not asked for ever', async (_, answer, requests) => {
  const paths: (string | undefined)[] = [];
  const url = await listen((request, response) => {
    paths.push(request.url);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  const { log, told } = recordingLog();
  const collected = await collect(9, [{ name: 'w2', key: keyOf(2), url }], { log });
  expect(collected).toMatchObject({ cosignatures: [], missing: ['w2'] });
  expect(paths).toEqual(Array.from({ length: requests }, () => '/add-checkpoint'));
  expect(told).toEqual([{ level: 'warn', reason: expect.any(String) as string }]);
});

test('sizes that change with each answer end too', async () => {
  let size = 0;
  const url = await listen((_, response) => response.writeHead(409).end(`${(size += 1)}\n`));
  const collected = await collect(9, [{ name: 'w2', key: keyOf(2), url }]);
  expect(collected.missing).toEqual(['w2']);
  expect(size).toBe(4);
});

test('a failure that passes is no failure', async () => {
  let asked = 0;
  const url = await listen((_, response) => {
    asked += 1;
    response.writeHead(asked === 1 ? 503 : 200).end(asked === 1 ? '' : good);
  });
  const { log, told } = recordingLog();
  expect((await collect(9, [{ name: 'w2', key: keyOf(2), url }], { log })).missing).toEqual([]);
  expect(told).toEqual([]);
});

test('a witness that says nothing, or only begins to, holds nobody up', async () => {
  const silent = await listen(() => undefined);
  const slow = await listen((_, response) => void response.writeHead(200).write(good));
  const a = await startWitness(2);
  const { log, told } = recordingLog();
  const witnesses = [silent, slow].map((url, at) => ({ name: `slow${at}`, key: keyOf(5 + at), url }));
  const { missing, cosignatures } = await collect(9, [...witnesses, a.witness], { log, timeoutMs: 500 });
  expect(missing).toEqual(['slow0', 'slow1']);
  expect(cosignatures).toHaveLength(1);
  expect(told.map(({ reason }) => reason)).toEqual(['no answer within 500 ms', 'no answer within 500 ms']);
});

test('a witness that cannot be reached rests, for all logs, and is asked again after', async () => {
  let asked = 0;
  const url = await listen(({ socket }) => {
    asked += 1;
    socket.destroy();
  });
  const witnesses = [{ name: 'w2', key: keyOf(2), url }];
  const { log, told } = recordingLog();
  const options = { log, memory: new Map(), restMs: 3_600_000 };
  // Four times about the first checkpoint, since it may pass.
  for (const size of [9, 12, 20]) expect((await collect(size, witnesses, options)).missing).toEqual(['w2']);
  expect(asked).toBe(4);
  const impatient = { ...options, memory: new Map(), restMs: 0 };
  for (const size of [9, 12]) await collect(size, witnesses, impatient);
  expect(asked).toBe(12);
  expect(told).toHaveLength(2);
});

test('an address that cannot be meant is not asked, and no address is logged', async () => {
  const { log, told } = recordingLog();
  const urls = [
    'ftp://a',
    'file:///etc/passwd',
    'nonsense',
    'http://user:secret@127.0.0.1:9/',
    'http://a/?b',
    'http://127.0.0.1:9',
  ];
  const witnesses = urls.map((url, at) => ({ name: `w${at}`, key: keyOf(10 + at), url }));
  const unknown = { name: 'offline', key: keyOf(9) };
  expect((await collect(9, [...witnesses, unknown], { log })).missing).toHaveLength(urls.length);
  expect(told).toHaveLength(urls.length);
  expect(JSON.stringify(told)).not.toMatch(/secret|passwd|127\.0/);
});

test('a proof that cannot be made is a failure like others', async () => {
  const a = await startWitness(2);
  await collect(5, [a.witness]);
  const { log, told } = recordingLog();
  const options = { log, prove: () => Promise.reject(new Error('the database is gone')) };
  expect((await collect(9, [a.witness], options)).missing).toEqual(['w2']);
  expect(told).toHaveLength(1);
});

test('who stops collecting is told nothing more', async () => {
  const stopping = new AbortController();
  const url = await listen(() => stopping.abort());
  const { log, told } = recordingLog();
  const stopped = await collect(9, [{ name: 'w2', key: keyOf(2), url }], { log, signal: stopping.signal });
  expect(stopped.missing).toEqual(['w2']);
  expect(told).toEqual([]);
});
