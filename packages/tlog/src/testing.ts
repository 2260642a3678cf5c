import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { encodeBase64 } from './base64.ts';
import { TlogError } from './tlog-error.ts';
import { hashLeaf, hashNode } from './tree/hash.ts';
import { splitPoint } from './tree/size.ts';

const vectorsFolder = resolve(import.meta.dirname, '../../../../shared/vectors');

/** Whether the published vectors lie beside the repository; they are not part of it. */
export const haveSharedVectors = existsSync(vectorsFolder);

/** What a skipped suite says. */
export const withSharedVectors = haveSharedVectors ? '' : ' (skipped: ../shared/vectors is absent)';

export function readSharedVector(path: string): Buffer {
  return readFileSync(resolve(vectorsFolder, path));
}

/** MTH of RFC 6962, section 2.1, word for word: slow, and nothing else to go wrong. */
export function naiveRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  const [first] = leafHashes;
  if (!first) throw new Error('the naive root needs a leaf');
  if (leafHashes.length === 1) return first;
  const split = splitPoint(leafHashes.length);
  return hashNode(naiveRoot(leafHashes.slice(0, split)), naiveRoot(leafHashes.slice(split)));
}

/** So many different leaf hashes. */
export function leavesOf(count: number, seed = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => hashLeaf(Uint8Array.of(seed, index >> 8, index & 255)));
}

/** The same bytes with one bit turned. */
export function turnBit(bytes: Uint8Array, bit: number): Uint8Array {
  const turned = Uint8Array.from(bytes);
  const at = Math.floor(bit / 8) % bytes.length;
  turned[at] = (turned[at] ?? 0) ^ (1 << (bit % 8));
  return turned;
}

/** Run what must either do or refuse with a TlogError; anything else thrown fails the test. */
export function attempt<T>(work: () => T): T | TlogError {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(TlogError);
    return error as TlogError;
  }
}

/** The reason for which something is refused. */
export function reasonOf(work: () => unknown): string {
  const outcome = attempt(work);
  return outcome instanceof TlogError ? outcome.reason : 'accepted';
}

/** A text that is right with pieces taken out, doubled or replaced, as bytes. */
export function mangled(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.nat(original.length),
    remove: fc.nat({ max: 4 }),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc
        .constantFrom('\n', '\n\n', ' ', '+', '=', '0', '\r', '\t', '\u2014 ', '\u0000')
        .map((text) => new TextEncoder().encode(text)),
    ),
  });
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    let bytes = [...original];
    for (const { at, remove, insert } of edits) bytes = bytes.toSpliced(at, remove, ...insert);
    return Uint8Array.from(bytes);
  });
}

/** Compare lines with those of a file in `vectors/`, bytes as base64; `vitest -u` writes it. */
export async function expectVectors(name: string, lines: readonly object[]): Promise<void> {
  const text = lines.map((line) => JSON.stringify(line, base64)).join('\n');
  await expect(`${text}\n`).toMatchFileSnapshot(resolve(import.meta.dirname, `../vectors/${name}.ndjson`));
}

function base64(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? encodeBase64(value) : value;
}
