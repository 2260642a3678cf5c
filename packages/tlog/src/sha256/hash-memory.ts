import { platform } from '#platform';
import { equalBytes } from '../bytes.ts';
import { hashBytes } from '../tree/hash.ts';
import { blockBytes, freeFrom, lanes, sha256x4Module } from './sha256x4-module.ts';

/** Messages of a memory, each padded behind its end (FIPS 180-4, section 5.1.1), and where their hashes go. */
export interface Messages {
  readonly starts: number[];
  readonly lengths: number[];
  readonly outputs: number[];
}

/** A memory in which messages are written and hashed, without a copy or a call for each. */
export interface HashMemory {
  /** Free from `freeFrom`; never grows. Whoever writes to it wipes it afterwards. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of each message. A hash may overwrite its own message, or stand where no message of the call does. */
  readonly hash: (messages: Messages) => void;
  readonly kind: 'simd' | 'plain';
}

/** The part of the global object that is used, which TypeScript declares for browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const pages = 8;
const pageBytes = 65_536;

/** Where a message's padding ends: a byte 0x80 and the length as eight bytes follow it. */
export function paddedLength(length: number): number {
  return Math.ceil((length + 9) / blockBytes) * blockBytes;
}

let chosen: HashMemory | undefined;

/** The one memory of this process: of four lanes where they work and hash as the platform does, else plain. */
export function hashMemory(): HashMemory {
  chosen ??= simdMemory() ?? plainMemory();
  return chosen;
}

/** Undefined where there is no WebAssembly with vectors, where it may not be compiled, and where it is wrong. */
export function simdMemory(): HashMemory | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(sha256x4Module(pages)));
    const { hash, memory } = exports as { hash: HashFour; memory: { buffer: ArrayBuffer } };
    const bytes = new Uint8Array(memory.buffer);
    const simd: HashMemory = { bytes, hash: (messages) => hashInLanes(messages, hash), kind: 'simd' };
    return hashesAsPlatform(simd) ? simd : undefined;
  } catch {
    return undefined;
  }
}

/** One hash of the platform a message. */
export function plainMemory(): HashMemory {
  const bytes = new Uint8Array(pages * pageBytes);
  const hash = ({ starts, lengths, outputs }: Messages): void => {
    for (const [at, start] of starts.entries()) {
      const message = bytes.subarray(start, start + (lengths[at] as number));
      bytes.set(platform.sha256(message), outputs[at]);
    }
  };
  return { bytes, hash, kind: 'plain' };
}

/** The function of `sha256x4Module`: four messages, their blocks, four outputs, 0. */
type HashFour = (...addresses: number[]) => void;

function hashInLanes({ starts, lengths, outputs }: Messages, hash: HashFour): void {
  for (const [blocks, members] of groupByBlocks(lengths)) {
    for (let first = 0; first < members.length; first += lanes) {
      // Where fewer than four are left, the last one is hashed in the other lanes too.
      const last = members.length - 1;
      const a = members[first] as number;
      const b = members[Math.min(first + 1, last)] as number;
      const c = members[Math.min(first + 2, last)] as number;
      const d = members[Math.min(first + 3, last)] as number;
      const [start, output] = [(at: number) => starts[at] as number, (at: number) => outputs[at] as number];
      hash(start(a), start(b), start(c), start(d), blocks, output(a), output(b), output(c), output(d), 0);
    }
  }
}

/** Four lanes take messages of the same number of blocks. */
function groupByBlocks(lengths: readonly number[]): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (let at = 0; at < lengths.length; at += 1) {
    const blocks = paddedLength(lengths[at] as number) / blockBytes;
    const group = groups.get(blocks);
    if (group) group.push(at);
    else groups.set(blocks, [at]);
  }
  return groups;
}

/** Ten messages, of each number of blocks up to three and at each edge of one, in lanes that are full and not. */
function hashesAsPlatform(memory: HashMemory): boolean {
  const lengths = [0, 3, 55, 56, 63, 64, 119, 120, 128, 183];
  const slotBytes = 4 * blockBytes;
  const starts = lengths.map((_, at) => freeFrom + at * slotBytes);
  const outputs = starts.map((start) => start + slotBytes - hashBytes);
  const expected = lengths.map((length, at) => {
    const start = starts[at] as number;
    for (let index = 0; index < length; index += 1) memory.bytes[start + index] = 31 * at + 7 * index;
    padMessage(memory.bytes, { start, length });
    return platform.sha256(memory.bytes.slice(start, start + length));
  });
  memory.hash({ starts, lengths, outputs });
  const right = expected.every((hash, at) => {
    const output = outputs[at] as number;
    return equalBytes(hash, memory.bytes.subarray(output, output + hashBytes));
  });
  memory.bytes.fill(0, freeFrom);
  return right;
}

/** Write the padding behind a message; what follows the message must be zero. */
export function padMessage(bytes: Uint8Array, { start, length }: { start: number; length: number }): void {
  const end = start + paddedLength(length);
  bytes[start + length] = 0x80;
  // Bits, of which a memory has fewer than 2^32.
  const bits = length * 8;
  bytes[end - 4] = bits >>> 24;
  bytes[end - 3] = bits >>> 16;
  bytes[end - 2] = bits >>> 8;
  bytes[end - 1] = bits;
}
