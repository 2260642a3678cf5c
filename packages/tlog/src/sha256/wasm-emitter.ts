/**
 * The little of WebAssembly's binary format that one function of 128-bit vectors needs
 * (WebAssembly Core Specification 2.0, chapter 5).
 */

/** Instructions as bytes. An expression is code that leaves one value on the stack. */
export type Code = readonly number[];

const magic = [0x00, 0x61, 0x73, 0x6d];
const formatVersion = [0x01, 0x00, 0x00, 0x00];
const types = { i32: 0x7f, v128: 0x7b } as const;

export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number, value: Code): Code => [...value, 0x21, ...unsigned(index)],
} as const;

export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  add: (a: Code, b: Code): Code => [...a, ...b, 0x6a],
  notEqual: (a: Code, b: Code): Code => [...a, ...b, 0x47],
} as const;

/** Vectors of four 32-bit numbers, or of 16 bytes. */
export const vector = {
  load: (address: Code, offset: number): Code => [...address, ...simd(0x00), 0, ...unsigned(offset)],
  /** The number at an address in all four places. */
  loadSplat: (address: Code, offset: number): Code => [...address, ...simd(0x09), 0, ...unsigned(offset)],
  store: (address: Code, value: Code, offset: number): Code => [
    ...address,
    ...value,
    ...simd(0x0b),
    0,
    ...unsigned(offset),
  ],
  /** The bytes of both, 0 to 15 and 16 to 31, in another order. */
  shuffle: (a: Code, b: Code, order: readonly number[]): Code => [...a, ...b, ...simd(0x0d), ...order],
  /** The bytes of a vector in another order. */
  swizzle: (a: Code, order: readonly number[]): Code => [...a, ...simd(0x0c), ...order, ...simd(0x0e)],
  splat: (value: Code): Code => [...value, ...simd(0x11)],
  or: (a: Code, b: Code): Code => [...a, ...b, ...simd(0x50)],
  xor: (a: Code, b: Code): Code => [...a, ...b, ...simd(0x51)],
  /** Bits of `a` where `mask` has ones, of `b` where it has zeros. */
  select: (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...simd(0x52)],
  shiftLeft: (a: Code, bits: number): Code => [...a, ...i32.constant(bits), ...simd(0xab)],
  shiftRight: (a: Code, bits: number): Code => [...a, ...i32.constant(bits), ...simd(0xad)],
  add: (a: Code, b: Code): Code => [...a, ...b, ...simd(0xae)],
} as const;

/** Run a body, and again as long as the condition, which is taken after it, is not zero. */
export function repeatWhile(condition: Code, body: Code): Code {
  return [0x03, 0x40, ...body, ...condition, 0x0d, 0, 0x0b];
}

export interface WasmModule {
  /** Of 64 KiB each; the memory is exported as `memory` and cannot grow. */
  readonly pages: number;
  /** What the memory holds from address 0. */
  readonly data: readonly number[];
  /** Name of the exported function, which takes so many numbers and returns nothing. */
  readonly name: string;
  readonly parameters: number;
  /** Vectors that it uses, numbered from where the parameters end. */
  readonly vectors: number;
  readonly body: Code;
}

/** A module of one memory and one function. */
export function emitModule({
  pages,
  data,
  name,
  parameters,
  vectors,
  body,
}: WasmModule): Uint8Array<ArrayBuffer> {
  const signature = [0x60, ...list(Array.from({ length: parameters }, () => [types.i32])), 0];
  const code = [...list([[...unsigned(vectors), types.v128]]), ...body, 0x0b];
  return Uint8Array.from([
    ...magic,
    ...formatVersion,
    ...section(1, [signature]),
    ...section(3, [[0]]),
    ...section(5, [[0x01, ...unsigned(pages), ...unsigned(pages)]]),
    ...section(7, [
      [...text('memory'), 0x02, 0],
      [...text(name), 0x00, 0],
    ]),
    ...section(10, [sized(code)]),
    ...section(11, [[0, ...i32.constant(0), 0x0b, ...sized(data)]]),
  ]);
}

function section(id: number, items: readonly Code[]): Code {
  return [id, ...sized(list(items))];
}

function list(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function sized(bytes: Code): Code {
  return [...unsigned(bytes.length), ...bytes];
}

function text(ascii: string): Code {
  return sized(Array.from(ascii, (character) => character.charCodeAt(0)));
}

function simd(opcode: number): Code {
  return [0xfd, ...unsigned(opcode)];
}

/** LEB128: seven bits a byte, the lowest first; the highest bit says that more follow. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** The same in two's complement: the last byte's bit 6 is the sign. */
function signed(value: number): number[] {
  if (value >= -0x40 && value < 0x40) return [value & 0x7f];
  return [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
