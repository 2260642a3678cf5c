import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { type Database, openDatabase } from '../database/database.ts';
import { silentLogger } from '../logger.ts';
import { readSignerKeys } from './key-directory.ts';
import type { NoteSigner } from './note-signer.ts';
import { signLog } from './sign-log.ts';
import type { SignerState } from './signer-state.ts';
import { openStateDirectory } from './state-directory.ts';

/** For tests: a process that signs one log once, and kills itself at one step of that. */
export const killSteps = [
  'before the state is written',
  'while the state is written',
  'when the state is on disk',
  'when the checkpoint is inserted',
  'when it is committed',
] as const;

export type KillStep = (typeof killSteps)[number];

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}

function dyingState(state: SignerState, { dir, step }: { dir: string; step: KillStep }): SignerState {
  return {
    ...state,
    write: async (...args) => {
      if (step === 'before the state is written') await die();
      if (step === 'while the state is written') {
        await writeFile(join(dir, 'state', '.half.json.00.tmp'), '{"version": 1,');
        await die();
      }
      await state.write(...args);
    },
  };
}

function dyingKey(key: NoteSigner, step: KillStep): NoteSigner {
  return { ...key, sign: (text) => (step === 'when the state is on disk' ? die() : key.sign(text)) };
}

function dyingDatabase(db: Database, step: KillStep): Database {
  if (step !== 'when the checkpoint is inserted') return db;
  return {
    ...db,
    transaction: (tenantId, work, options) => db.transaction(tenantId, (tx) => work(tx).then(die), options),
  };
}

async function main([url = '', dir = '', tenantId = '', step = '']: readonly string[]): Promise<void> {
  const at = killSteps.find((each) => each === step);
  const keys = await readSignerKeys(dir);
  if (!at || !keys) throw new Error('expected url, directory with a key, tenant and step');
  const db = await openDatabase({ urls: { app: url, custodian: url }, setRole: true, poolMax: 2 });
  await signLog(
    {
      services: { db: dyingDatabase(db, at), clock: systemClock, log: silentLogger },
      keys: { ...keys, active: keys.active.map((key) => dyingKey(key, at)) },
      state: dyingState(await openStateDirectory(dir), { dir, step: at }),
    },
    tenantId,
  );
  await die();
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
