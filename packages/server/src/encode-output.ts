/** What superjson writes: the JSON, and which places in it stand for something that JSON lacks. */
export interface Wire {
  readonly json: unknown;
  readonly meta?: { readonly values: unknown; readonly v: 1 };
}

type Annotations = Record<string, ['Date']>;

/**
 * An output as superjson would write it, several times faster; `superjson.deserialize` reads it unchanged.
 *
 * Takes plain objects, arrays, JSON's primitives and dates, which is all that the contract's outputs hold.
 * Nothing is copied: JSON.stringify writes a date as its ISO text and drops what is undefined.
 */
export function encodeOutput(data: unknown): Wire {
  if (data instanceof Date) return { json: data, meta: { values: ['Date'], v: 1 } };
  const values: Annotations = {};
  annotateDates(data, '', values);
  return isEmpty(values) ? { json: data } : { json: data, meta: { values, v: 1 } };
}

// `prefix` is the path so far with its dot, so that a page of 1,000 records makes no arrays of path segments.
function annotateDates(value: unknown, prefix: string, values: Annotations): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      if (typeof value[index] === 'object') annotateItem(value[index], `${prefix}${index}`, values);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      const item: unknown = (value as Record<string, unknown>)[key];
      if (typeof item === 'object') annotateItem(item, prefix + escapeKey(key), values);
    }
  }
}

function annotateItem(item: unknown, path: string, values: Annotations): void {
  if (item instanceof Date) values[path] = ['Date'];
  else annotateDates(item, `${path}.`, values);
}

function escapeKey(key: string): string {
  return /[\\.]/.test(key) ? key.replaceAll('\\', '\\\\').replaceAll('.', '\\.') : key;
}

function isEmpty(values: object): boolean {
  for (const _ in values) return false;
  return true;
}
