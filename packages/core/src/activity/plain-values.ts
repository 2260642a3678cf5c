import { isIPv6 } from 'node:net';
import { isStorableText, type JsonObject, type JsonValue, limits } from '@annals/contract';

/** Ends the reading of an input that is for the schema to read. */
export const unusual = new Error('not plain');

/** What was read of an input so far. */
export interface Count {
  /** Of all texts and keys, in UTF-16 code units. */
  characters: number;
  /** Values and keys of JSON, and tags. */
  nodes: number;
}

/** An object that was made by a literal or from JSON and has no other keys than these. */
export function asObject<Key extends string>(
  value: unknown,
  keys: ReadonlySet<Key>,
): { readonly [K in Key]?: unknown } {
  if (typeof value !== 'object' || value === null) throw unusual;
  if (Object.getPrototypeOf(value) !== Object.prototype) throw unusual;
  for (const key of Object.keys(value)) if (!keys.has(key as Key)) throw unusual;
  return value;
}

/** As `text` of the contract. Code points are no more than the units that are counted here. */
export function readText(value: unknown, lengthMax: number, count: Count): string {
  return optionalText(value, lengthMax, count) ?? refuse();
}

/** As `optionalText` of the contract. */
export function optionalText(value: unknown, lengthMax: number, count: Count): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw unusual;
  const text = value.trim();
  if (text.length > lengthMax || !isStorableText(text)) throw unusual;
  count.characters += text.length;
  return text === '' ? undefined : text;
}

/** A word of a closed list; undefined where there is none. */
export function optionalWord<Word extends string>(
  value: unknown,
  words: ReadonlySet<Word>,
): Word | undefined {
  return value === undefined ? undefined : readWord(value, words);
}

export function readWord<Word extends string>(value: unknown, words: ReadonlySet<Word>): Word {
  return words.has(value as Word) ? (value as Word) : refuse();
}

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function readId(value: unknown): string {
  return typeof value === 'string' && uuidV7.test(value) ? value : refuse();
}

const actionForm = /^[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*$/;

export function readAction(value: unknown, count: Count): string {
  const action = readText(value, limits.actionLengthMax, count);
  return actionForm.test(action) ? action : refuse();
}

/** A Date, or its own form in text: others are for the schema. */
export function readMoment(value: unknown): Date {
  if (value instanceof Date) {
    const time = value.getTime();
    return Number.isNaN(time) ? refuse() : new Date(time);
  }
  if (typeof value !== 'string' || value.length !== isoLength) throw unusual;
  const moment = new Date(value);
  return Number.isNaN(moment.getTime()) || moment.toISOString() !== value ? refuse() : moment;
}

const isoLength = '2026-01-31T12:00:00.000Z'.length;

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const plainIpv6 = /^[\da-f:]+$/;

/** An IPv4 address, or an IPv6 address in lowercase without a zone and without an IPv4 address in it. */
export function readIp(value: unknown, count: Count): string {
  if (typeof value !== 'string') throw unusual;
  if (!ipv4.test(value) && !(plainIpv6.test(value) && isIPv6(value))) throw unusual;
  count.characters += value.length;
  return value;
}

export function readTags(value: unknown, count: Count): string[] {
  if (!Array.isArray(value) || value.length > limits.tagsMax) throw unusual;
  count.nodes += value.length;
  const tags: string[] = [];
  for (let at = 0; at < value.length; at += 1) {
    const tag = readText(value[at], limits.tagLengthMax, count);
    if (!tags.includes(tag)) tags.push(tag);
  }
  return tags;
}

/** As `jsonObject` of the contract, which copies what it is given as well. */
export function readJsonObject(value: unknown, count: Count): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unusual;
  const keys = { left: limits.jsonKeysMax };
  return copyObject(value, { depth: 0, keys, count });
}

interface Copying {
  readonly depth: number;
  readonly keys: { left: number };
  readonly count: Count;
}

function copyJson(value: unknown, copying: Copying): JsonValue {
  copying.count.nodes += 1;
  if (typeof value === 'string') return copyText(value, copying);
  if (typeof value === 'number') {
    if (Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)) return value;
    throw unusual;
  }
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') throw unusual;
  return Array.isArray(value) ? copyArray(value, copying) : copyObject(value, copying);
}

function copyText(text: string, { count }: Copying): string {
  if (!isStorableText(text)) throw unusual;
  count.characters += text.length;
  return text;
}

function copyArray(items: readonly unknown[], copying: Copying): JsonValue[] {
  if (copying.depth >= limits.jsonDepthMax) throw unusual;
  const inside = { ...copying, depth: copying.depth + 1 };
  const copy: JsonValue[] = [];
  for (let at = 0; at < items.length; at += 1) copy.push(copyJson(items[at], inside));
  return copy;
}

function copyObject(value: object, copying: Copying): JsonObject {
  if (copying.depth >= limits.jsonDepthMax) throw unusual;
  if (Object.getPrototypeOf(value) !== Object.prototype) throw unusual;
  const inside = { ...copying, depth: copying.depth + 1 };
  const copy: JsonObject = {};
  for (const key of Object.keys(value)) {
    // An assignment to it would set the prototype.
    if (key === '__proto__' || key.length > limits.jsonKeyLengthMax) throw unusual;
    if (copying.keys.left-- === 0) throw unusual;
    copying.count.nodes += 1;
    copy[copyText(key, copying)] = copyJson((value as Record<string, unknown>)[key], inside);
  }
  return copy;
}

function refuse(): never {
  throw unusual;
}
