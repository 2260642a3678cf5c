import type { Estimate } from '@annals/contract';

/** What a result says of counts that are not of all; nothing where they are. */
export function toEstimate(sinceMs: number | undefined): { readonly estimate?: Estimate } {
  return sinceMs === undefined ? {} : { estimate: { since: new Date(sinceMs) } };
}
