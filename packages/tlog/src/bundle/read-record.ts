import type { LoggedRecord } from '../entry/record.ts';
import { TlogError } from '../tlog-error.ts';
import { isObject, type JsonObject, quote, timeOf, toObject } from './json-fields.ts';

/** An activity of a bundle: what its entry commits to, and what must follow from that. */
export interface BundledRecord extends LoggedRecord {
  readonly tenantId: string;
  readonly occurredAt: Date;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
/** An object of these members, each a text; those without `?` must be there. */
const textsOf = (...names: string[]): Check => {
  const known = new Set(names.map((name) => name.replace('?', '')));
  const needed = names.filter((name) => !name.endsWith('?'));
  return (value) => {
    if (!isObject(value)) return false;
    for (const key of Object.keys(value)) if (!known.has(key) || !isText(value[key])) return false;
    return needed.every((key) => value[key] !== undefined);
  };
};

/** The members of an activity. One that no entry commits to would look proven without being so. */
const members: ReadonlyMap<string, Check> = new Map([
  ...['id', 'tenantId', 'occurredAt', 'recordedAt'].map((key) => [key, isText] as const),
  ...['scopeId', 'action', 'kind', 'operation', 'severity', 'outcome'].map((key) => [key, isText] as const),
  ...['visibility', 'channel', 'source', 'message', 'reason'].map((key) => [key, isText] as const),
  ['actor', textsOf('type', 'id?', 'label?')],
  ['subject', textsOf('id?')],
  ['target', textsOf('type', 'id?', 'label?')],
  ['context', textsOf('ip?', 'userAgent?', 'requestId?', 'sessionId?', 'traceId?', 'spanId?')],
  ['tags', isTexts],
  ['metadata', isObject],
  ['details', isObject],
  ['erased', isTexts],
]);

const required = [
  'id',
  'tenantId',
  'action',
  'kind',
  'severity',
  'outcome',
  'visibility',
  'actor',
  'tags',
  'metadata',
];

/**
 * Read an activity as its JSON has it.
 *
 * Errors  `bad_line` for a member that activities do not have, lack, or have in another form.
 */
export function readRecord(value: unknown, own: boolean): BundledRecord {
  const json: JsonObject = toObject(value, 'record');
  for (const key of Object.keys(json)) {
    const check = members.get(key);
    if (!check?.(json[key])) {
      throw new TlogError('bad_line', `the record's ${quote(key)} is nothing that an activity has`);
    }
  }
  const missing = required.find((key) => json[key] === undefined);
  if (missing !== undefined) throw new TlogError('bad_line', `the record has no ${missing}`);
  // Parsed for this, so that it need not be copied.
  const times = { recordedAt: timeOf(json, 'recordedAt'), occurredAt: timeOf(json, 'occurredAt') };
  return Object.assign(json as unknown as BundledRecord, times, { own });
}
