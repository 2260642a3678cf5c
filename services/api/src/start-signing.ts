import { readFile } from 'node:fs/promises';
import { type Services, type Signer, startDirectorySigner } from '@annals/core';
import { type Policy, parsePolicy } from '@annals/tlog';
import type { Config } from './config.ts';
import type { OpenedDatabase } from './database-access.ts';
import { StartError } from './postgres/index.ts';

export interface SigningOptions {
  readonly config: Pick<Config, 'signer' | 'publicUrl'>;
  readonly database: Pick<OpenedDatabase, 'queue'>;
}

/**
 * The signer that the settings ask for.
 *
 * Errors  StartError for a policy file that cannot be read; AnnalsError for a directory that cannot be used.
 */
export async function startSigning(
  services: Services,
  { config: { signer, publicUrl }, database }: SigningOptions,
): Promise<Signer | undefined> {
  if (signer.mode === 'off') return undefined;
  const { connectionString } = database.queue;
  const { dir, logName } = signer;
  const host = publicUrl === undefined ? undefined : new URL(publicUrl).host.replaceAll(/[[\]]/g, '');
  const witnesses = signer.witnessPolicy === undefined ? undefined : await readPolicy(signer.witnessPolicy);
  return startDirectorySigner(services, { connectionString, dir, logName, host, witnesses });
}

async function readPolicy(path: string): Promise<Policy> {
  let policy: Policy;
  try {
    policy = parsePolicy(await readFile(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`The policy file of ANNALS_WITNESS_POLICY cannot be used: ${reason}.`, {
      cause: error,
    });
  }
  if (policy.witnesses.some(({ url }) => url !== undefined)) return policy;
  throw new StartError(`${path} names no witness with a URL; ANNALS_WITNESS_POLICY needs one to ask.`);
}
