import { getActivity, proveActivity, proveConsistency, readStoredKeys } from '@annals/core';
import {
  decodeBase64,
  decodeOpenings,
  formatPolicy,
  type Opening,
  parseCheckpoint,
  parseNote,
  rebuildEntry,
  type TreeHead,
  verifierKey,
  verifyConsistency,
  verifyInclusion,
  verifyNote,
} from '@annals/tlog';
import { expect } from 'vitest';
import { contextOf, type TenantModel, type World } from './world.ts';

export interface IssuedCheckpoint extends TreeHead {
  readonly epoch: number;
  readonly origin: string;
  readonly note: string;
}

export interface IssuedProof {
  readonly id: string;
  readonly epoch: number;
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly hashes: readonly Uint8Array[];
  readonly checkpoint: TreeHead & { readonly note: string; readonly origin: string };
}

/** The keys that ever signed, as an auditor was given them out of band. */
export async function publicKeysOf(world: World): Promise<Uint8Array[]> {
  return (await readStoredKeys(world.dir)).map(({ key }) => key.publicKey);
}

export function policyOf(tenantId: string, publicKeys: readonly Uint8Array[]): string {
  const name = `test.example/${tenantId}`;
  const logs = publicKeys.map((publicKey) => ({ key: verifierKey({ name, type: 'ed25519', publicKey }) }));
  return formatPolicy({ logs, witnesses: [], quorum: { kind: 'none' } });
}

/**
 * See what was published since the last look. Whatever is new of an epoch extends every checkpoint of it that was
 * ever published, those included that a restored database has lost.
 */
export async function seeCheckpoints(world: World, tenant: TenantModel, by: number): Promise<void> {
  const { rows } = await world.admin.query<{ epoch: number; size: number; note: string }>(
    `select epoch, size::int as size, note from annals.checkpoint where tenant_id = $1 order by epoch, size`,
    [tenant.tenantId],
  );
  const publicKeys = await publicKeysOf(world);
  for (const { epoch, note } of rows) {
    const parsed = parseNote(note);
    const { origin, size, root } = parseCheckpoint(parsed.text);
    const seen = tenant.published.find((each) => each.epoch === epoch && each.size === size);
    if (seen) {
      expect({ origin: seen.origin, root: seen.root }).toEqual({ origin, root });
      if (!tenant.held.includes(seen)) tenant.held.push(seen);
      continue;
    }
    const keys = publicKeys.map((publicKey) => verifierKey({ name: origin, type: 'ed25519', publicKey }));
    expect(verifyNote(parsed, keys).length).toBeGreaterThan(0);
    const issued: IssuedCheckpoint = { epoch, origin, size, root, note };
    for (const before of tenant.published.filter((each) => each.epoch === epoch)) {
      expect(before.size).toBeLessThan(size);
    }
    tenant.published.push(issued);
    tenant.held.push(issued);
  }
  await expectExtended(world, tenant, by);
}

/** The newest checkpoint of each epoch extends all that are held. */
async function expectExtended(world: World, tenant: TenantModel, by: number): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  for (const epoch of new Set(tenant.held.map((each) => each.epoch))) {
    const ofEpoch = tenant.held.filter((each) => each.epoch === epoch);
    const newest = ofEpoch.reduce((a, b) => (a.size > b.size ? a : b));
    for (const before of ofEpoch) {
      const input = { epoch, from: before.size, to: newest.size };
      const { hashes } = await proveConsistency({ ctx, input });
      verifyConsistency({ from: before, to: newest, proof: hashes.map(decodeBase64) });
    }
  }
}

/** Prove some activities anew, and check that what they are now is what was logged of them. */
export async function issueProofs(world: World, tenant: TenantModel, by: number): Promise<void> {
  const ctx = contextOf(world, tenant, by);
  for (const { id } of pick(tenant.receipts, 3)) {
    const proof = await proveActivity({ ctx, input: { id } }).catch(expectAbsent);
    const record = proof && (await getActivity({ ctx, input: { id } }));
    if (!proof || !record) continue;
    const { own, seed, openings, note, origin } = proof;
    const opening: Opening = seed
      ? { seed: decodeBase64(seed) }
      : { openings: decodeOpenings(decodeBase64(openings ?? '')) };
    const { size, root } = parseCheckpoint(parseNote(note).text);
    const issued: IssuedProof = {
      id,
      epoch: proof.epoch,
      index: proof.index,
      leaf: decodeBase64(proof.leaf),
      hashes: proof.hashes.map(decodeBase64),
      checkpoint: { size, root, note, origin },
    };
    expect(Buffer.from(rebuildEntry({ ...record, own }, opening).leaf)).toEqual(Buffer.from(issued.leaf));
    tenant.proofs.push(issued);
  }
  for (const { index, leaf, hashes, checkpoint } of tenant.proofs) {
    verifyInclusion({ leafHash: leaf, index, proof: hashes, size: checkpoint.size, root: checkpoint.root });
  }
}

/** What was purged, and what is not signed yet. */
function expectAbsent(error: unknown): undefined {
  expect(['not_found', 'not_signed']).toContain((error as { code?: unknown }).code);
}

/** Some of them, evenly spread, the newest among them. */
export function pick<T>(values: readonly T[], count: number): T[] {
  const step = Math.max(1, Math.floor(values.length / count));
  return values.filter((_, at) => (values.length - 1 - at) % step === 0).slice(-count);
}
