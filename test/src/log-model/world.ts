import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Context, OpenedServices } from '@annals/core';
import { createLogKey, openServices } from '@annals/core';
import { openTestCore, type TestCore } from '@annals/core/testing';
import type { Receipt } from '@annals/tlog';
import { Client } from 'pg';
import type { TenantBackup } from './backup.ts';
import type { IssuedCheckpoint, IssuedProof } from './issued.ts';

/** A writer that has stored its batch and not committed yet. */
export interface LateWriter {
  readonly by: number;
  commit(): Promise<void>;
  /** As its process would end. */
  rollBack(): Promise<void>;
}

/** What the model knows of a tenant: what was given out, and what is under way. */
export interface TenantModel {
  readonly tenantId: string;
  /** Distinguishes the months of its activities from those of the others. */
  readonly nth: number;
  /** Activities handed in so far, of which each differs. */
  made: number;
  /** Promises that hold: a restored database may have lost some. */
  receipts: Receipt[];
  /** All that were ever published, in the order in which they were seen. */
  readonly published: IssuedCheckpoint[];
  /** Of these, those that the log still extends. */
  held: IssuedCheckpoint[];
  proofs: IssuedProof[];
  readonly late: LateWriter[];
  /** With whether the log was to be refused by then. */
  backup?: (TenantBackup & { readonly restored: boolean }) | undefined;
  /** The newest that was opened. */
  epoch: number;
  /** Set by a restore that lost what was signed, until a new epoch is opened. */
  restored: boolean;
}

/** One database, two processes with a signer's directory in common, some tenants. */
export interface World {
  readonly core: TestCore;
  readonly admin: Client;
  readonly dir: string;
  readonly processes: [OpenedServices, OpenedServices];
  readonly tenants: readonly TenantModel[];
  restart(by: number): Promise<void>;
  close(): Promise<void>;
}

const tenantCount = 3;
/** By how much the clock of the second process is behind. */
const skewMs = 1_500;

/** `mixingMs`: for how long erasures gather in one manifest. */
export async function openWorld(mixingMs: number): Promise<World> {
  const core = await openTestCore();
  const dir = await mkdtemp(join(tmpdir(), 'annals-model-'));
  const admin = new Client({ connectionString: core.url });
  await admin.connect();
  await createLogKey({ dir, logName: 'test.example' });
  const open = (by: number) => {
    const clock: Clock = { now: () => new Date(core.clock.now().getTime() - by * skewMs) };
    return openServices({ database: { url: core.url }, poolMax: 6, manifestIntervalMs: mixingMs, clock });
  };
  const processes: [OpenedServices, OpenedServices] = [await open(0), await open(1)];
  const tenants = Array.from({ length: tenantCount }, (_, nth) => newTenant(core.context().tenantId, nth));
  const end = async (by: number) => {
    for (const { late } of tenants) {
      for (const writer of late.splice(0)) {
        if (writer.by === by) await writer.rollBack();
        else late.push(writer);
      }
    }
    await processes[by]?.close();
  };
  return {
    core,
    admin,
    dir,
    processes,
    tenants,
    restart: async (by) => {
      await end(by);
      processes[by] = await open(by);
    },
    close: async () => {
      await Promise.all(processes.map((_, by) => end(by)));
      await admin.end();
      await core.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function newTenant(tenantId: string, nth: number): TenantModel {
  return {
    tenantId,
    nth,
    made: 0,
    receipts: [],
    published: [],
    held: [],
    proofs: [],
    late: [],
    epoch: 0,
    restored: false,
  };
}

/** A caller with every scope, served by one of the processes. */
export function contextOf(world: World, { tenantId }: TenantModel, by: number): Context {
  const { services } = world.processes[by] as OpenedServices;
  return { ...world.core.context({ tenantId }), ...services };
}
