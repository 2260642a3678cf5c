import { limits, type PlanAnonymizeInput } from '@annals/contract';
import { createMatcher, type IdentifierMatcher } from './identifiers.ts';

/** Whom a run erases; kept in the plan, and nowhere else, until the run ends. */
export interface AnonymizeRequest {
  readonly mode: PlanAnonymizeInput['mode'];
  readonly ids: readonly string[];
  /** What else to look for: the identifiers given, and the labels learned. */
  readonly identifiers: readonly string[];
}

export interface Person {
  readonly ids: readonly string[];
  /** Looks for ids and identifiers alike. */
  readonly matcher: IdentifierMatcher;
  /** Whether a whole value names the person. */
  isPerson(value: string): boolean;
}

/**
 * Whom a request is about. An id that is shorter than an identifier may be is not looked for in texts, where
 * it would be found everywhere; it counts only as a whole id.
 */
export function createPerson({ ids, identifiers }: Omit<AnonymizeRequest, 'mode'>): Person {
  const wholeIds = new Set(ids);
  const searched = ids.filter((id) => id.length >= limits.identifierLengthMin);
  const matcher = createMatcher([...new Set([...searched, ...identifiers])]);
  return { ids, matcher, isPerson: (value) => wholeIds.has(value) || matcher.equals(value) };
}
