import type { ErasureItem, Manifest, PurgeItem } from '../entry/manifest.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import { createGrowingBytes } from './growing-bytes.ts';

/** Indexes of one epoch's log, `end` not included. */
export interface IndexRange {
  readonly epoch: number;
  readonly start: number;
  readonly end: number;
}

/** The items of one manifest, packed, and a cursor over them: a million erasures take some 50 MB. */
export interface ItemList {
  readonly count: number;
  /** Errors: `bad_line` for items out of order. */
  append(items: Manifest['items']): void;
  /**
   * The items that touch a range. Ranges must be asked for in the order of epoch and index; items before the
   * range are passed over for good.
   */
  take(range: IndexRange): Item[];
}

type Item = ErasureItem | PurgeItem;

export function createItemList(): ItemList {
  const held = createGrowingBytes();
  let count = 0;
  let cursor = 0;
  let last = { epoch: 0, end: 0 };
  const append = (item: Item) => {
    const { epoch, start, end } = boundsOf(item);
    const follows = epoch > last.epoch || (epoch === last.epoch && start >= last.end);
    if (!follows) throw new TlogError('bad_line', 'the items are out of order');
    last = { epoch, end };
    held.append(packItem(item));
    count += 1;
  };
  const take = (range: IndexRange) => {
    const taken: Item[] = [];
    while (cursor < held.length) {
      const { item, next } = unpackItem(held.view(0, held.length), cursor);
      const { epoch, start, end } = boundsOf(item);
      if (epoch > range.epoch || (epoch === range.epoch && start >= range.end)) break;
      const touches = epoch === range.epoch && end > range.start;
      if (touches) taken.push(item);
      // What was purged goes on in the next range.
      if (touches && end > range.end) break;
      cursor = next;
    }
    return taken;
  };
  return {
    get count() {
      return count;
    },
    append: (items) => items.forEach(append),
    take,
  };
}

function boundsOf(item: Item): IndexRange {
  return 'start' in item ? item : { epoch: item.epoch, start: item.index, end: item.index + 1 };
}

/** Epoch, start, end; slots 0 for what was purged, else with their bits and the rest behind. */
const headBytes = 22;

function packItem(item: Item): Uint8Array {
  const { epoch, start, end } = boundsOf(item);
  const bytes = new Uint8Array(headBytes + ('slots' in item ? item.slots.length + hashBytes : 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, epoch);
  view.setFloat64(4, start);
  view.setFloat64(12, end);
  if ('slots' in item) {
    view.setUint16(20, item.slotCount);
    bytes.set(item.slots, headBytes);
    bytes.set(item.rest, headBytes + item.slots.length);
  }
  return bytes;
}

function unpackItem(held: Uint8Array, at: number): { item: Item; next: number } {
  const view = new DataView(held.buffer, held.byteOffset + at);
  const epoch = view.getUint32(0);
  const start = view.getFloat64(4);
  const slotCount = view.getUint16(20);
  if (slotCount === 0) return { item: { epoch, start, end: view.getFloat64(12) }, next: at + headBytes };
  const rest = at + headBytes + Math.ceil(slotCount / 8);
  const slots = held.subarray(at + headBytes, rest);
  const next = rest + hashBytes;
  return { item: { epoch, index: start, slotCount, slots, rest: held.subarray(rest, next) }, next };
}
