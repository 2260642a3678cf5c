/** What a run must remember between chunks, as JSON. Never names a person. */
export interface JobCursor {
  /** Months, as 202601, of which it has changed or removed records. */
  readonly months: readonly string[];
}

/** With the months of these times, in milliseconds since 1970. */
export function withMonths(months: readonly string[], times: readonly number[]): string[] {
  const added = times.map((at) => new Date(at).toISOString().slice(0, 7).replace('-', ''));
  return [...new Set([...months, ...added])].toSorted();
}
