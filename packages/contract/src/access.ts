import { z } from 'zod';
import { limits } from './limits.ts';
import { moment, tenantId, text } from './text.ts';

/** What a key may do. `personal:read` adds sight of personal fields to the other read scopes. */
export const scopes = [
  'activities:write',
  'activities:read',
  'stats:read',
  'export',
  'privacy',
  'retention',
  'admin',
  'personal:read',
] as const;

export type Scope = (typeof scopes)[number];

/** The part of an API key before the secret; it names the key and is safe to show. */
export const keyId = z.string().regex(/^[a-z0-9]{16}$/, 'must be the 16 characters of a key id');

/** An API key as it is listed: never its secret, which is stored as a hash. */
export const ApiKey = z.strictObject({
  id: keyId,
  /** `annals_<id>`, the beginning of the key as its holder knows it. */
  prefix: z.string(),
  name: z.string(),
  /** Absent for a key of the deployment, which may name any tenant. */
  tenantId: z.string().optional(),
  scopes: z.array(z.enum(scopes)),
  createdAt: z.date(),
  expiresAt: z.date().optional(),
  revokedAt: z.date().optional(),
});
export type ApiKey = z.output<typeof ApiKey>;

export const KeyCreateInput = z.strictObject({
  /** Absent: the caller's tenant; for a deployment's key, a key of the deployment. */
  tenantId: tenantId.optional(),
  name: text(limits.keyNameLengthMax),
  scopes: z
    .array(z.enum(scopes))
    .min(1, 'must name at least one scope')
    .max(scopes.length, `must name at most ${scopes.length} scopes`)
    .transform((list) => [...new Set(list)]),
  expiresAt: moment.optional(),
});

/** The only time that the whole key is shown. */
export const KeyCreateResult = z.strictObject({ key: ApiKey, secret: z.string() });
export type KeyCreateResult = z.output<typeof KeyCreateResult>;

export const KeyListInput = z.strictObject({ tenantId: tenantId.optional() });
export const KeyListResult = z.strictObject({ keys: z.array(ApiKey) });
export type KeyListResult = z.output<typeof KeyListResult>;

export const KeyRevokeInput = z.strictObject({ tenantId: tenantId.optional(), id: keyId });

export const Tenant = z.strictObject({ id: z.string(), name: z.string(), createdAt: z.date() });
export type Tenant = z.output<typeof Tenant>;

export const TenantCreateInput = z.strictObject({
  id: tenantId,
  name: text(limits.labelLengthMax).optional(),
});
export const TenantListResult = z.strictObject({ tenants: z.array(Tenant) });
export type TenantListResult = z.output<typeof TenantListResult>;
