import { queryKeys } from './words.ts';

const lengthMax = 32;

/** The key of the query language that somebody who wrote `key` most likely meant, if any is close. */
export function nearestKey(key: string): string | undefined {
  // `metadta.plan` is compared by its root, since the path is free.
  const written = [key, key.slice(0, key.indexOf('.') + 1)].filter(
    (each) => each !== '' && each.length <= lengthMax,
  );
  const candidates = queryKeys.flatMap((known) =>
    written.map((each) => ({ known, distance: editDistance(each.toLowerCase(), known.toLowerCase()) })),
  );
  const closest = candidates.toSorted((a, b) => a.distance - b.distance)[0];
  const tolerated = key.length < 4 ? 1 : 2;
  return closest !== undefined && closest.distance <= tolerated ? closest.known : undefined;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = at(previous, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, at(previous, column) + 1, at(current, column - 1) + 1));
    }
    previous = current;
  }
  return at(previous, b.length);
}

function at(distances: readonly number[], column: number): number {
  return distances[column] ?? Number.POSITIVE_INFINITY;
}
