import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  consistencyRanges,
  formatAddCheckpoint,
  formatCheckpoint,
  formatPolicy,
  hashLeaf,
  readerOf,
  readProof,
  rootOf,
  signingKey,
  signNote,
} from '@annals/tlog';
import type { Witness, WitnessEvent } from './add-checkpoint.ts';
import { openWitnessKey } from './witness-key.ts';
import { createWitnessServer } from './witness-server.ts';
import { openWitnessStore } from './witness-store.ts';

export type History = 'honest' | 'forked';

/** A log whose two histories part after eight entries; it shows now one, now the other. */
export function createTestLog(origin: string) {
  const key = signingKey({ name: origin, type: 'ed25519', seed: new Uint8Array(32).fill(1) });
  const honest = Array.from({ length: 60 }, (_, index) => hashLeaf(Uint8Array.of(index)));
  const leaves = { honest, forked: honest.map((leaf, index) => (index < 8 ? leaf : hashLeaf(leaf))) };
  const textAt = (size: number, history: History = 'honest') =>
    formatCheckpoint({ origin, size, root: rootOf(leaves[history].slice(0, size)), extensions: [] });
  return {
    origin,
    key,
    policy: formatPolicy({ logs: [{ key }], witnesses: [], quorum: { kind: 'none' } }),
    textAt,
    noteAt: (size: number, history?: History) => signNote(textAt(size, history), [key]),
    /** The body that asks to cosign `to` after `from`. */
    grow: (from: number, to: number, history: History = 'honest') =>
      formatAddCheckpoint({
        oldSize: from,
        proof: from === 0 ? [] : readProof(consistencyRanges(from, to), readerOf(leaves[history])),
        note: signNote(textAt(to, history), [key]),
      }),
  };
}

export type TestLog = ReturnType<typeof createTestLog>;

export const testNow = new Date('2027-01-01T00:00:00.500Z');

export interface TestWitness {
  readonly url: string;
  readonly witness: Witness;
  readonly events: WitnessEvent[];
  post(body: string | Uint8Array): Promise<{ status: number; type: string | null; body: string }>;
  close(): Promise<void>;
}

/** A witness that listens, of these logs, in this folder. */
export async function startTestWitness(dir: string, logs: readonly TestLog[]): Promise<TestWitness> {
  const events: WitnessEvent[] = [];
  const witness: Witness = {
    key: await openWitnessKey(dir),
    logs: logs.map(({ key }) => ({ key })),
    store: openWitnessStore(dir),
    evidenceFolder: join(dir, 'evidence'),
    now: () => testNow,
    tell: (event) => void events.push(event),
  };
  const server = createWitnessServer(witness);
  const url = await listen(server);
  return { url, witness, events, post: (body) => post(url, body), close: () => close(server) };
}

export async function post(url: string, body: string | Uint8Array) {
  const sent = typeof body === 'string' ? body : Buffer.from(body);
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: sent });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
  };
}

export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
