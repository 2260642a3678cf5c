export interface CountOf {
  readonly name: string;
  readonly count: number;
}

/** More names than these are not told apart: JSON keys can be as many as records. */
const namesMax = 200;

/**
 * Counts by name. Once there are many names, a new path into JSON counts as its root, `metadata.*`, so that
 * plans and results stay small.
 */
export interface Tally {
  add(name: string, count?: number): void;
  /** The largest count first, equal ones by name. */
  counts(): CountOf[];
}

export function createTally(start: readonly CountOf[] = []): Tally {
  const byName = new Map(start.map(({ name, count }) => [name, count]));
  return {
    add: (name, count = 1) => {
      const known = byName.has(name) || byName.size < namesMax;
      const key = known ? name : name.replace(/^(metadata|details)\..*$/s, '$1.*');
      byName.set(key, (byName.get(key) ?? 0) + count);
    },
    counts: () =>
      Array.from(byName, ([name, count]) => ({ name, count })).toSorted(
        (a, b) => b.count - a.count || (a.name < b.name ? -1 : 1),
      ),
  };
}
