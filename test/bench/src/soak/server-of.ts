import { type Annals, AnnalsError, createAnnals } from '@annals/client';

/** How a process of the soak reaches the server. */
export interface Reach {
  readonly url: string;
  readonly key: string;
  /** Whether the server is killed now and then: calls are then made again until they are answered. */
  readonly killed: boolean;
}

/** How often something failed, by its code. */
export type Failures = Record<string, number>;

export function countFailure(failures: Failures, code: string): void {
  failures[code] = (failures[code] ?? 0) + 1;
}

export function codeOf(error: unknown): string {
  if (error instanceof AnnalsError) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

/**
 * The SDK as anybody uses it; `attempts` is told of each attempt that failed, which the SDK makes good by itself.
 * Where the server is killed it has more patience than by default, and no other setting.
 */
export function clientOf({ url, key, killed }: Reach, attempts: Failures): Annals {
  return createAnnals({
    url,
    apiKey: key,
    ...(killed && { retry: { attemptsMax: 1_000, baseMs: 50, pauseMaxMs: 500 } }),
    fetch: async (to, init) => {
      try {
        const response = await fetch(to, init);
        if (!response.ok) countFailure(attempts, String(response.status));
        return response;
      } catch (error) {
        if (!init.signal?.aborted) countFailure(attempts, 'connection');
        throw error;
      }
    },
  });
}
