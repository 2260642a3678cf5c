/** Whose log, in which epoch. */
export interface OriginOf {
  readonly tenantId: string;
  readonly epoch: number;
}

/**
 * Whether an origin is that of the tenant's log in an epoch: `<log name>/<tenant>`, from the second epoch on with
 * `/e2` and so on behind it. A log name holds no `/`, or one origin could be read as that of two logs.
 */
export function isOriginOf(origin: string, { tenantId, epoch }: OriginOf): boolean {
  const [logName, ...rest] = origin.split('/');
  const expected = [encodeURIComponent(tenantId), ...(epoch === 1 ? [] : [`e${epoch}`])];
  return logName !== '' && rest.join('/') === expected.join('/');
}
