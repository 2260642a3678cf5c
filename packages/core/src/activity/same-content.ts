import { type Activity, formatPath } from '@annals/contract';
import { fieldColumns, valueAt } from './columns.ts';
import type { NewActivity } from './prepare.ts';

/**
 * Whether a stored activity is the one that is handed in again. What was erased of the stored one counts as
 * equal: nothing tells any longer what it was.
 */
export function sameContent(stored: Activity | NewActivity, incoming: NewActivity): boolean {
  const erased = new Set('erased' in stored ? stored.erased : []);
  return (
    stored.occurredAt.getTime() === incoming.occurredAt.getTime() &&
    fieldColumns.every(
      ({ path }) => erased.has(path.join('.')) || valueAt(stored, path) === valueAt(incoming, path),
    ) &&
    (erased.has('tags') || sameJson([stored.tags, incoming.tags], () => false)) &&
    sameRoot('metadata', { stored, incoming, erased }) &&
    sameRoot('details', { stored, incoming, erased })
  );
}

interface Pair {
  readonly stored: Activity | NewActivity;
  readonly incoming: NewActivity;
  readonly erased: ReadonlySet<string>;
}

/** An erased key is listed as `*` in an object around it: which of the incoming keys it was is not known. */
function sameRoot(root: 'metadata' | 'details', { stored, incoming, erased }: Pair): boolean {
  const nameOf = (path: readonly string[]) => (path.length === 0 ? root : `${root}.${formatPath(path)}`);
  return sameJson([stored[root], incoming[root]], (path, storedValue) => {
    if (erased.has(nameOf(path))) return true;
    return (
      storedValue === undefined && path.some((_, depth) => erased.has(`${nameOf(path.slice(0, depth))}.*`))
    );
  });
}

type Skip = (path: readonly string[], stored: unknown) => boolean;

/** Whether two JSON values are equal whatever the order of their keys; undefined is an absent key. */
function sameJson([a, b]: readonly [unknown, unknown], skip: Skip, path: readonly string[] = []): boolean {
  if (a === b || skip(path, a)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameJson([own(a, key), own(b, key)], skip, [...path, key]));
}

function own(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
