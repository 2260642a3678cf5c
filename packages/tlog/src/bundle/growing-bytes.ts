/** Bytes that are appended to and taken off the front; it grows by doubling and does not shrink. */
export interface GrowingBytes {
  readonly length: number;
  append(bytes: Uint8Array): void;
  /** A view, good until the next change. */
  view(start: number, end: number): Uint8Array;
  /** Drop what stands before a place; what stands there is at 0 then. */
  drop(count: number): void;
}

export function createGrowingBytes(): GrowingBytes {
  let held: Uint8Array<ArrayBuffer> = new Uint8Array(1_024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    append: (bytes) => {
      if (length + bytes.length > held.length) {
        const grown = new Uint8Array(Math.max(held.length * 2, length + bytes.length));
        grown.set(held.subarray(0, length));
        held = grown;
      }
      held.set(bytes, length);
      length += bytes.length;
    },
    view: (start, end) => held.subarray(start, end),
    drop: (count) => {
      held.copyWithin(0, count, length);
      length -= count;
    },
  };
}
