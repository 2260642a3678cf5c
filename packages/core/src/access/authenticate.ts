import { timingSafeEqual } from 'node:crypto';
import { AnnalsError, type Scope } from '@annals/contract';
import { sql } from 'kysely';
import type { Principal, Services } from '../context.ts';
import { hashSecret, parseKeyToken } from './key-token.ts';

interface KeyRow {
  tenantId: string;
  id: string;
  name: string;
  secretHash: Buffer;
  scopes: Scope[];
  revoked: boolean;
  expiresMs: number | null;
}

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
  const [row] = await services.db.query(sql<KeyRow>`
    select tenant_id as "tenantId", id, name, secret_hash as "secretHash", scopes,
      revoked_at is not null as revoked, (extract(epoch from expires_at) * 1000)::float8 as "expiresMs"
    from annals.find_api_key(${token.id})`);
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
