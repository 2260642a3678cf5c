import { createAnnals } from '@annals/client';
import { anActivity } from '@annals/testkit';
import {
  bundlePath,
  bundlesWritten,
  decodeBase64,
  decodeBundle,
  formatPolicy,
  type HashReader,
  hashLeaf,
  parseNote,
  parsePolicy,
  parseVerifierKey,
  rootOf,
  tilePath,
  tilesWritten,
  verifiedReader,
  verifyBundle,
  verifyCheckpoint,
} from '@annals/tlog';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnnalsProcess, makeDataDir, removeDataDir, startAnnalsProcess } from './process.ts';

let dataDir: string;
let annals: AnnalsProcess;
beforeAll(async () => {
  dataDir = await makeDataDir();
  annals = await startAnnalsProcess({ dataDir });
}, 60_000);
afterAll(async () => {
  await annals.stop();
  await removeDataDir(dataDir);
});

async function fetchFile(path: string): Promise<Uint8Array> {
  const response = await fetch(`${annals.url}/tlog/${annals.tenantId}/${path}`, {
    headers: { authorization: `Bearer ${annals.apiKey}` },
  });
  expect(response.status, path).toBe(200);
  return new Uint8Array(await response.arrayBuffer());
}

/** As a monitor does: the checkpoint, then every tile and entry, each checked against what was signed. */
async function walk(policy: string): Promise<HashReader> {
  const { checkpoint } = verifyCheckpoint(parseNote(await fetchFile('checkpoint')), parsePolicy(policy));
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesWritten(0, checkpoint.size)) {
    tiles.set(tilePath(tile), await fetchFile(tilePath(tile)));
  }
  const leaves: Uint8Array[] = [];
  for (const bundle of bundlesWritten(0, checkpoint.size)) {
    const entries = decodeBundle(await fetchFile(bundlePath(bundle)), bundle.width);
    verifyBundle(entries, tiles.get(tilePath({ level: 0, ...bundle })) ?? new Uint8Array());
    leaves.push(...entries.map(hashLeaf));
  }
  expect(rootOf(leaves)).toEqual(checkpoint.root);
  return verifiedReader(checkpoint, tiles);
}

test('the process sequences and signs what is logged: receipts, verify and a walk over its files agree', async () => {
  const client = createAnnals(annals);
  const many = Array.from({ length: 600 }, () => anActivity());
  const result = await client.logMany(many, { ack: 'sequenced' });
  expect(result).toMatchObject({ stored: 600, ack: 'sequenced' });

  const { verifierKeys, note } = await client.integrity.checkpoint();
  const logs = verifierKeys.map((vkey) => ({ key: parseVerifierKey(vkey) }));
  const policy = formatPolicy({ logs, witnesses: [], quorum: { kind: 'none' } });
  const stored = result.results.filter((item) => item.status === 'stored');
  const [first] = stored;
  const report = await client.verify(first?.id ?? '', { policy, checkpoint: note });
  expect(report).toMatchObject({ index: first?.index, erased: [], withheld: [] });

  const hashOf = await walk(policy);
  for (const { index = -1, leaf } of stored) {
    expect(hashOf({ level: 0, index })).toEqual(decodeBase64(leaf));
  }
}, 60_000);
