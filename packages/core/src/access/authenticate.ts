import { timingSafeEqual } from 'node:crypto';
import { AnnalsError } from '@annals/contract';
import type { Principal, Services } from '../context.ts';
import { findKey } from './find-key.ts';
import { hashSecret, parseKeyToken } from './key-token.ts';

// Stands in for the hash of a key that is not there, so that an unknown id takes as long as a wrong secret.
const noHash = Buffer.alloc(32);

/**
 * Who holds this API key. Asked of the database every time, so that a revocation takes effect at once.
 *
 * Errors  `unauthenticated`, the same for a key that is missing, malformed, unknown, wrong, revoked or expired.
 */
export async function authenticate(
  services: Pick<Services, 'db' | 'clock'>,
  key: string | undefined,
): Promise<Principal> {
  const token = key === undefined ? undefined : parseKeyToken(key);
  if (!token) throw unauthenticated();
  const row = await findKey(services, token.id);
  const matches = timingSafeEqual(hashSecret(token.secret), row?.secretHash ?? noHash);
  const expired = row?.expiresMs != null && row.expiresMs <= services.clock.now().getTime();
  if (!row || !matches || row.revoked || expired) throw unauthenticated();
  return { keyId: row.id, keyName: row.name, tenantId: row.tenantId, scopes: row.scopes };
}

function unauthenticated(): AnnalsError {
  return new AnnalsError({
    code: 'unauthenticated',
    message: 'the call needs a valid API key, as `Authorization: Bearer annals_...`',
  });
}
