import { type HashMemory, type Messages, paddedLength, padMessage } from '../sha256/hash-memory.ts';
import { freeFrom } from '../sha256/sha256x4-module.ts';
import { hashBytes } from '../tree/hash.ts';
import { saltBytes } from './commitment.ts';
import { type Output, reserve } from './write-value.ts';

/**
 * Messages of many entries in one memory, to be hashed together: first all salts, then all slots, then all
 * leaves, since each holds hashes of those before. A batch is empty, is filled, hashed, read and emptied again.
 */
export interface EntryBatch extends Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory by fours of bytes, to move salts. */
  readonly words: Uint32Array<ArrayBuffer>;
  readonly memory: HashMemory;
  readonly salts: Messages;
  /** Where salts are once they are hashed, and where they belong. */
  readonly saltMoves: { readonly from: number[]; readonly to: number[] };
  readonly slots: Messages;
  readonly leaves: Messages;
}

export type Stage = 'salts' | 'slots' | 'leaves';

export function openBatch(memory: HashMemory): EntryBatch {
  return {
    memory,
    bytes: memory.bytes,
    words: new Uint32Array(memory.bytes.buffer),
    at: freeFrom,
    salts: noMessages(),
    saltMoves: { from: [], to: [] },
    slots: noMessages(),
    leaves: noMessages(),
  };
}

function noMessages(): Messages {
  return { starts: [], lengths: [], outputs: [] };
}

/** End the message from `start` to where the batch is, which its hash is to overwrite unless `output` is given. */
export function endMessage(batch: EntryBatch, stage: Stage, { start, output = start }: MessagePlace): void {
  const length = batch.at - start;
  batch.at = start;
  reserve(batch, paddedLength(length));
  padMessage(batch.bytes, { start, length });
  const { starts, lengths, outputs } = batch[stage];
  starts.push(start);
  lengths.push(length);
  outputs.push(output);
  batch.at = start + paddedLength(length);
}

export interface MessagePlace {
  readonly start: number;
  readonly output?: number;
}

/** Hash everything in the batch; every hash is then in its place. */
export function hashBatch({ memory, words, salts, saltMoves, slots, leaves }: EntryBatch): void {
  memory.hash(salts);
  const { from, to } = saltMoves;
  for (let index = 0; index < from.length; index += 1) {
    const [source, target] = [(from[index] as number) / 4, (to[index] as number) / 4];
    for (let word = 0; word < saltBytes / 4; word += 1) words[target + word] = words[source + word] as number;
  }
  memory.hash(slots);
  memory.hash(leaves);
}

export function hashAt({ bytes }: EntryBatch, at: number): Uint8Array {
  return bytes.slice(at, at + hashBytes);
}

/** How far a batch is filled. */
export type Mark = readonly number[];

export const emptyMark: Mark = [freeFrom, 0, 0, 0, 0];

export function markBatch({ at, salts, saltMoves, slots, leaves }: EntryBatch): Mark {
  return [at, salts.starts.length, saltMoves.from.length, slots.starts.length, leaves.starts.length];
}

/**
 * Forget what was written since a mark, and wipe it: it holds seeds and values. Of a message that was left
 * unfinished, something may stand anywhere behind.
 */
export function rewindBatch(
  batch: EntryBatch,
  mark: Mark,
  last: 'finished' | 'unfinished' = 'finished',
): void {
  const [at = 0, salts = 0, moves = 0, slots = 0, leaves = 0] = mark;
  cut(batch.salts, salts);
  cut(batch.slots, slots);
  cut(batch.leaves, leaves);
  batch.saltMoves.from.length = moves;
  batch.saltMoves.to.length = moves;
  batch.bytes.fill(0, at, last === 'finished' ? batch.at : batch.bytes.length);
  batch.at = at;
}

function cut({ starts, lengths, outputs }: Messages, length: number): void {
  starts.length = length;
  lengths.length = length;
  outputs.length = length;
}
