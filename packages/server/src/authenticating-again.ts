import type { AnnalsCall } from './call.ts';

/** How often it is looked whether the key still is one. */
const authenticateAgainMs = 1_000;

/** To be called again and again while an answer goes on: asks anew who calls, but not more often than each second. */
export function authenticatingAgain({ authenticateAgain }: AnnalsCall): () => Promise<void> {
  let atMs = performance.now();
  return async () => {
    if (performance.now() - atMs < authenticateAgainMs) return;
    atMs = performance.now();
    await authenticateAgain?.();
  };
}
