import type { JsonObject, JsonValue, PathRoot } from '@annals/contract';
import type { ActivityRow } from '../activity/row.ts';
import { type Erasure, erasedWith } from './erasure.ts';
import type { RedactField } from './redact-fields.ts';

/**
 * A record without the fields; undefined where it has none of them.
 *
 * A path of JSON keeps its key, and its value becomes null. The names of all fields that went are added to
 * `erased`.
 */
export function redactRow(row: ActivityRow, fields: readonly RedactField[]): Erasure | undefined {
  const values: Record<string, unknown> = {};
  const names: string[] = [];
  for (const field of fields.toSorted(wholesFirst)) {
    const erased = 'path' in field ? erasePath(row, values, field) : eraseWhole(row, values, field.column);
    if (erased) names.push(field.name);
  }
  return names.length === 0 ? undefined : { values: { ...values, erased: erasedWith(row, names) }, names };
}

/** What goes with the whole is not counted once more by its path. */
function wholesFirst(a: RedactField, b: RedactField): number {
  return Number('path' in a) - Number('path' in b);
}

const emptied: Readonly<Record<string, unknown>> = { tags: [], metadata: {} };

function eraseWhole(row: ActivityRow, values: Record<string, unknown>, column: string): boolean {
  const value = row[column];
  if (value === null || (column in emptied && Object.keys(value as object).length === 0)) return false;
  values[column] = emptied[column] ?? null;
  return true;
}

interface PathField {
  readonly root: PathRoot;
  readonly path: readonly string[];
}

function erasePath(row: ActivityRow, values: Record<string, unknown>, { root, path }: PathField): boolean {
  const whole = (root in values ? values[root] : row[root]) as JsonObject | null;
  const erased = whole && withNullAt(whole, path);
  if (!erased) return false;
  values[root] = erased;
  return true;
}

/** A copy with null at the path; undefined where nothing, or null, stands there. */
function withNullAt(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return value === null ? undefined : null;
  if (Array.isArray(value)) {
    const at = indexOf(value, key);
    const item = value[at];
    const erased = item === undefined ? undefined : withNullAt(item, rest);
    return erased === undefined ? undefined : value.with(at, erased);
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  const erased = withNullAt(value[key] ?? null, rest);
  if (erased === undefined) return undefined;
  // From entries, not by assignment: a key may be called __proto__.
  return Object.fromEntries(
    Object.entries(value).map(([each, item]) => [each, each === key ? erased : item]),
  );
}

/** As paths in the database: a negative one counts from the end. */
function indexOf(list: readonly JsonValue[], key: string): number {
  if (!/^-?\d{1,9}$/.test(key)) return -1;
  const index = Number(key);
  return index < 0 ? list.length + index : index;
}
