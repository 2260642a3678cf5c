import { type LogName, parseLogOrigin } from './origin.ts';
import type { SignedHead, SignerState } from './signer-state.ts';

export interface SignedLog {
  readonly origin: string;
  readonly log: LogName;
  readonly head: SignedHead;
}

/** What was last signed of each tenant's log, in its newest epoch, as far as the state can be read. */
export async function newestSignedHeads(state: SignerState, logName: string): Promise<SignedLog[]> {
  const { origins } = await state.origins();
  const newest = new Map<string, { origin: string; log: LogName }>();
  for (const origin of origins) {
    const log = parseLogOrigin(origin, logName);
    const before = log && newest.get(log.tenantId);
    if (log && (!before || before.log.epoch < log.epoch)) newest.set(log.tenantId, { origin, log });
  }
  const logs: SignedLog[] = [];
  for (const { origin, log } of newest.values()) {
    const head = await state.read(origin);
    if (head) logs.push({ origin, log, head });
  }
  return logs;
}
