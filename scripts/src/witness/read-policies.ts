import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatVerifierKey, type PolicyLog, parsePolicy, TlogError } from '@annals/tlog';
import { UsageError } from '../cli/exit.ts';

/**
 * The logs of all policies, each key once.
 *
 * Several files, since one may not list a public key twice (C2SP tlog-policy), and a deployment signs the logs
 * of all its tenants with one.
 */
export async function readPolicies(files: readonly string[]): Promise<PolicyLog[]> {
  const logs = new Map<string, PolicyLog>();
  for (const file of files) {
    for (const log of await readLogs(resolve(file))) logs.set(formatVerifierKey(log.key), log);
  }
  if (logs.size === 0) throw new UsageError('no policy lists a log: add a line as log <vkey>');
  return [...logs.values()];
}

async function readLogs(file: string): Promise<readonly PolicyLog[]> {
  try {
    return parsePolicy(await readFile(file)).logs;
  } catch (error) {
    if (error instanceof TlogError) throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
