import { limits } from '@annals/contract';

/** Calls in one batch, unless all are of `activity.log`: of these there is one for each tenant of a client. */
export const batchCallsMax = 10;

/** The paths of one call, and of as many as a batch may hold. */
const paths: ReadonlySet<string> = new Set(
  Array.from(
    { length: limits.logCallsPerRequestMax },
    (_, more) => `activity.log${',activity.log'.repeat(more)}`,
  ),
);

/** How many calls a request to this path may make. */
export function callsMaxOf(path: string): number {
  return paths.has(path) ? limits.logCallsPerRequestMax : batchCallsMax;
}

/**
 * Whether a request calls `activity.log` and nothing else, in the way that every client does: by its method, its path
 * below the endpoint, and its headers. tRPC would read it as JSON and answer with JSON.
 */
export function isHotLog({ method, url, headers }: Request, path: string): boolean {
  if (method !== 'POST' || !paths.has(path)) return false;
  if (!url.endsWith(`/${path}?batch=1`) && (path.includes(',') || !url.endsWith(`/${path}`))) return false;
  if (headers.get('content-type') !== 'application/json') return false;
  const length = headers.get('content-length') ?? '';
  if (!/^\d{1,15}$/.test(length) || Number(length) > limits.callBytesMax) return false;
  return !headers.has('trpc-accept') && !headers.get('accept')?.includes('jsonl');
}
