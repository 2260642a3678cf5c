import type { CallOptions } from './options.ts';
import type { Transport } from './transport.ts';

/** The input with the tenant that the call is about; without one the server takes the key's. */
export function withTenant<Input extends object>(
  { settings }: Transport,
  input: Input,
  options: CallOptions = {},
): Input & { tenantId?: string } {
  const tenantId = options.tenantId ?? settings.tenantId;
  return tenantId === undefined ? input : { ...input, tenantId };
}
