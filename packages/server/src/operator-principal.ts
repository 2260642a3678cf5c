import { scopes } from '@annals/contract';
import { deploymentTenant, type Principal } from '@annals/core';

/**
 * Who runs a maintenance command in process: trusted with everything, since whoever holds the database's URL
 * is. `name` is how the operator stands in the records of what is done.
 */
export function operatorPrincipal({ name = 'operator' }: { readonly name?: string } = {}): Principal {
  return { keyId: 'operator', keyName: name, tenantId: deploymentTenant, scopes };
}
