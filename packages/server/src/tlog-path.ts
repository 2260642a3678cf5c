import { procedures } from '@annals/contract';
import { deploymentTenant } from '@annals/core';

/** A file of a tenant's log. */
export interface TlogResource {
  readonly tenantId: string;
  readonly epoch: number;
  /** `checkpoint`, or what may be the path of a tile or of an entry bundle. */
  readonly path: string;
}

/**
 * What `/<tenant>[/e<epoch>]/<path>` names, the epoch told from the second on, as the log's origin tells it;
 * undefined for a text that names nothing, or would name it in another way.
 */
export function parseTlogPath(pathname: string): TlogResource | undefined {
  const [, tenant = '', digits, path = ''] = /^\/([^/]+)(?:\/e([1-9]\d{0,8}))?\/(.+)$/.exec(pathname) ?? [];
  const epoch = Number(digits ?? 1);
  const tenantId = decodeTenant(tenant);
  if (tenantId === undefined || (digits !== undefined && epoch < 2)) return undefined;
  const named = tenantId === deploymentTenant ? {} : { tenantId };
  const { success } = procedures['integrity.tile'].input.safeParse({ ...named, epoch, path });
  return success ? { tenantId, epoch, path } : undefined;
}

function decodeTenant(encoded: string): string | undefined {
  try {
    const tenantId = decodeURIComponent(encoded);
    return encodeURIComponent(tenantId) === encoded ? tenantId : undefined;
  } catch {
    return undefined;
  }
}
