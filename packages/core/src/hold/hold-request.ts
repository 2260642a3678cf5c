/** What a hold is over, as it is kept with it. */
export type HoldRequest = HeldFilter | HeldPerson | Forgotten;

interface HeldFilter {
  readonly over: 'filter';
  /** A canonical filter as JSON. */
  readonly filter: object;
  /** Whether its creator could search in personal fields. */
  readonly personal: boolean;
}

interface HeldPerson {
  readonly over: 'person';
  readonly ids: readonly string[];
  /** What else to look for: the identifiers given, and the labels learned. */
  readonly identifiers: readonly string[];
}

/** Of a released hold. */
interface Forgotten {
  readonly over: 'filter' | 'person';
}

export function isFilter(request: HoldRequest): request is HeldFilter {
  return 'filter' in request;
}

export function isPerson(request: HoldRequest): request is HeldPerson {
  return 'ids' in request;
}
