import { join } from 'node:path';
import type { Services } from '../context.ts';
import { examineLog, type Signing } from './examine-log.ts';
import { unusable } from './file-errors.ts';
import { readSignerKeys } from './key-directory.ts';
import { type OpenEpoch, type OpenedEpoch, openEpoch } from './open-epoch.ts';
import { parseLogOrigin } from './origin.ts';
import { reasonOfRefusal } from './signing-refused.ts';
import { openStateDirectory } from './state-directory.ts';

/** A log that contradicts what was signed, and why. */
export interface RefusedLog {
  readonly tenantId: string;
  readonly reason: string;
}

type SigningServices = Signing['services'];

/**
 * Compare every log that a signer's directory knows with what the database holds.
 *
 * Errors  `invalid_input` for a directory that cannot be used.
 */
export async function listRefusedLogs(services: SigningServices, dir: string): Promise<RefusedLog[]> {
  const signing = await openSigning(services, dir);
  const { origins } = await signing.state.origins();
  const tenants = origins.flatMap((origin) => parseLogOrigin(origin, signing.keys.logName)?.tenantId ?? []);
  const refused: RefusedLog[] = [];
  for (const tenantId of new Set(tenants)) {
    const reason = await services.db
      .transaction(tenantId, (tx) => examineLog(tx, signing))
      .then(() => undefined, reasonOfRefusal);
    if (reason !== undefined) refused.push({ tenantId, reason });
  }
  return refused;
}

/** As `openEpoch`, with the keys and the state of a signer's directory. */
export async function openEpochIn(
  services: SigningServices,
  { dir, ...epoch }: OpenEpoch & { readonly dir: string },
): Promise<OpenedEpoch> {
  return openEpoch(await openSigning(services, dir), epoch);
}

async function openSigning(services: Pick<Services, 'db' | 'clock' | 'log'>, dir: string): Promise<Signing> {
  const keys = await readSignerKeys(dir);
  if (!keys) throw unusable(join(dir, 'keys'), 'has no key; name the directory of the signer');
  return { services, keys, state: await openStateDirectory(dir) };
}
