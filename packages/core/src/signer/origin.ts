/** Which log: its deployment, its tenant and, after a restore that lost signed entries, its epoch. */
export interface LogName {
  /** What the origins of all logs of a deployment begin with, as `annals.example.com`. */
  readonly logName: string;
  readonly tenantId: string;
  readonly epoch: number;
}

/** The unique name of a log, under which it is signed: `<logName>/<tenant>`, from the second epoch on `/e2`. */
export function logOrigin({ logName, tenantId, epoch }: LogName): string {
  return `${logName}/${encodeURIComponent(tenantId)}${epoch === 1 ? '' : `/e${epoch}`}`;
}

/** What `logOrigin` wrote; undefined for any other text, and for a log of another deployment. */
export function parseLogOrigin(origin: string, logName: string): LogName | undefined {
  if (!origin.startsWith(`${logName}/`)) return undefined;
  const [, tenant, digits] = /^([^/]+)(?:\/e([1-9]\d{0,8}))?$/.exec(origin.slice(logName.length + 1)) ?? [];
  if (tenant === undefined) return undefined;
  try {
    const name = { logName, tenantId: decodeURIComponent(tenant), epoch: Number(digits ?? 1) };
    return logOrigin(name) === origin ? name : undefined;
  } catch {
    return undefined;
  }
}
