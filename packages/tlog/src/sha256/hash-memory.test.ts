import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { platform } from '#platform';
import {
  type HashMemory,
  hashMemory,
  type Messages,
  paddedLength,
  padMessage,
  plainMemory,
  simdMemory,
} from './hash-memory.ts';
import { freeFrom } from './sha256x4-module.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const simd = simdMemory() as HashMemory;
const plain = plainMemory();

test('this platform hashes in four lanes', () => {
  expect(hashMemory().kind).toBe('simd');
  expect(hashMemory()).toBe(hashMemory());
});

test.each([simd, plain])(
  'messages of every length up to nine blocks are hashed as FIPS 180-4 says',
  (memory) => {
    const messages = Array.from({ length: 9 * 64 }, (_, length) => filled(length, length));
    expect(hashAll(memory, messages)).toEqual(messages.map((message) => platform.sha256(message)));
  },
);

test('any messages, in any company and at any place, are hashed as the platform does', () => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ minLength: 900, maxLength: 4_000 }),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 30 }), fc.nat(70), (messages, shift) => {
      const expected = messages.map((each) => platform.sha256(each));
      expect(hashAll(simd, messages, shift)).toEqual(expected);
      expect(hashAll(plain, messages, shift)).toEqual(expected);
    }),
  );
});

test('a message of nearly all the memory is hashed', () => {
  const long = filled(simd.bytes.length - freeFrom - 64, 7);
  expect(hashAll(simd, [long])).toEqual([platform.sha256(long)]);
});

test('without WebAssembly, or where it may not be compiled, there are no lanes', () => {
  vi.stubGlobal('WebAssembly', undefined);
  expect(simdMemory()).toBeUndefined();
  vi.stubGlobal('WebAssembly', { Module: Refusing });
  expect(simdMemory()).toBeUndefined();
});

test('lanes that hash wrongly are not used', () => {
  vi.stubGlobal('WebAssembly', { Module: Object, Instance: Idle });
  expect(simdMemory()).toBeUndefined();
});

function Refusing() {
  throw new RangeError('WebAssembly is disallowed here');
}

function Idle() {
  return { exports: { memory: { buffer: new ArrayBuffer(65_536) }, hash: () => {} } };
}

/** The hash of each, where the message stood. */
function hashAll(memory: HashMemory, all: readonly Uint8Array[], shift = 0): Uint8Array[] {
  const messages: Messages = { starts: [], lengths: [], outputs: [] };
  let at = freeFrom + shift;
  for (const message of all) {
    memory.bytes.set(message, at);
    padMessage(memory.bytes, { start: at, length: message.length });
    messages.starts.push(at);
    messages.lengths.push(message.length);
    messages.outputs.push(at);
    at += paddedLength(message.length);
  }
  memory.hash(messages);
  const hashes = messages.outputs.map((output) => memory.bytes.slice(output, output + 32));
  memory.bytes.fill(0, freeFrom);
  return hashes;
}

function filled(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => seed + 31 * at);
}
