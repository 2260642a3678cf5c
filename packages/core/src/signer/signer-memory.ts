/** Why a log is not signed, since when. */
export interface Refusal {
  readonly tenantId: string;
  readonly reason: string;
  readonly since: Date;
}

/** What an active signer knows from one round to the next; nothing of it matters for what it may sign. */
export interface SignerMemory {
  readonly refusals: Map<string, Refusal>;
  /** When a tenant's log is looked at again at the earliest, by `performance.now()`. */
  readonly restsUntilMs: Map<string, number>;
  /** Tenants whose logs are still to be compared with what was signed, although they may not have grown. */
  toCompare: string[];
  /** When that was last begun, and with which active keys. */
  comparedMs: number;
  comparedKeys: string;
}

export function createSignerMemory(): SignerMemory {
  return {
    refusals: new Map(),
    restsUntilMs: new Map(),
    toCompare: [],
    comparedMs: Number.NEGATIVE_INFINITY,
    comparedKeys: '',
  };
}
