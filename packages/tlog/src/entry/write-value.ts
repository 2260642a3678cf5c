import { canonicalJson } from '../canonical-json.ts';
import { limits } from '../limits.ts';
import { encodeText } from '../text.ts';
import type { Json } from './record.ts';
import { isText, type Slot, slotValue } from './slots.ts';

/** Bytes that are written one after the other. What is not written yet is zero. */
export interface Output {
  readonly bytes: Uint8Array;
  /** Where the next byte goes. */
  at: number;
}

/** Ends writing into an output without room; it never leaves this folder. */
export class OutputFull extends Error {}

/** Write the same bytes as `slotValue`, or throw the same error. */
export function writeValue(output: Output, slot: Slot): void {
  const start = output.at;
  const { key, content } = slot;
  if (isText(slot)) writeText(output, content as string);
  else if (!(key === undefined ? writeJson(output, content, 0) : writeMember(output, key, content))) {
    output.bytes.fill(0, start);
    output.at = start;
    writeBytes(output, slotValue(slot));
  }
}

/** Write the same bytes as `canonicalJson`, or throw the same error. */
export function writeJsonValue(output: Output, value: Json): void {
  const start = output.at;
  if (writeJson(output, value, 0)) return;
  output.bytes.fill(0, start);
  output.at = start;
  writeBytes(output, canonicalJson(value));
}

/** Write the same bytes as `canonicalJson`, or return false: there may be no such bytes, and it knows why. */
export function writeJson(output: Output, value: Json, depth: number): boolean {
  if (typeof value === 'string') return writeQuoted(output, value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
    writeText(output, String(value));
    return typeof value !== 'number' || Number.isFinite(value);
  }
  if (typeof value !== 'object' || depth >= limits.jsonDepthMax || 'toJSON' in value) return false;
  return Array.isArray(value)
    ? writeArray(output, value, depth)
    : writeObject(output, value as JsonMap, depth);
}

type JsonMap = { readonly [key: string]: Json };

/** An object of one key, as metadata and details are committed to. */
function writeMember(output: Output, key: string, value: Json): boolean {
  writeByte(output, '{');
  const written = writeQuoted(output, key) && writeColon(output) && writeJson(output, value, 1);
  writeByte(output, '}');
  return written;
}

function writeArray(output: Output, items: readonly Json[], depth: number): boolean {
  writeByte(output, '[');
  for (let at = 0; at < items.length; at += 1) {
    if (at > 0) writeByte(output, ',');
    if (!writeJson(output, items[at] as Json, depth + 1)) return false;
  }
  writeByte(output, ']');
  return true;
}

function writeObject(output: Output, members: JsonMap, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(members);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const keys = Object.keys(members).toSorted();
  writeByte(output, '{');
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] as string;
    if (at > 0) writeByte(output, ',');
    if (!writeQuoted(output, key) || !writeColon(output)) return false;
    if (!writeJson(output, members[key] as Json, depth + 1)) return false;
  }
  writeByte(output, '}');
  return true;
}

function writeColon(output: Output): true {
  writeByte(output, ':');
  return true;
}

const encoder = new TextEncoder();
/** Up to this many characters a loop is faster than a call of the encoder. */
const loopCharactersMax = 64;

/** UTF-8, as `encodeText`. */
function writeText(output: Output, text: string): void {
  if (text.length <= loopCharactersMax && writePlain(output, text, isAscii)) return;
  if (!text.isWellFormed()) encodeText(text);
  const { read, written } = encoder.encodeInto(text, output.bytes.subarray(output.at));
  if (read < text.length) throw new OutputFull();
  output.at += written;
}

/** `JSON.stringify` writes a string as RFC 8785 does, lone surrogates excepted. */
function writeQuoted(output: Output, text: string): boolean {
  if (text.length <= loopCharactersMax) {
    const start = output.at;
    writeByte(output, '"');
    if (writePlain(output, text, isUnescaped)) {
      writeByte(output, '"');
      return true;
    }
    output.at = start;
  }
  if (!text.isWellFormed()) return false;
  writeText(output, JSON.stringify(text));
  return true;
}

const isAscii = (character: number) => character < 0x80;
/** Not above ASCII, no control character, quote or backslash. */
const isUnescaped = (character: number) =>
  character < 0x80 && character >= 0x20 && character !== 0x22 && character !== 0x5c;

/** Whether every character is one byte; if not, what was written is to be overwritten by what is longer. */
function writePlain(output: Output, text: string, isPlain: (character: number) => boolean): boolean {
  reserve(output, text.length);
  const { bytes, at } = output;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (!isPlain(character)) return false;
    bytes[at + index] = character;
  }
  output.at += text.length;
  return true;
}

export function writeBytes(output: Output, bytes: Uint8Array): void {
  reserve(output, bytes.length);
  output.bytes.set(bytes, output.at);
  output.at += bytes.length;
}

function writeByte(output: Output, character: string): void {
  reserve(output, 1);
  output.bytes[output.at] = character.charCodeAt(0);
  output.at += 1;
}

export function reserve(output: Output, length: number): void {
  if (output.at + length > output.bytes.length) throw new OutputFull();
}
