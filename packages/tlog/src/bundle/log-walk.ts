import { equalBytes } from '../bytes.ts';
import { tileWidth } from '../tiles/tile.ts';
import { TlogError } from '../tlog-error.ts';
import { appendLeaves, emptyRange, mergeRanges, rootOfRange } from '../tree/compact-range.ts';
import { splitHashes } from '../tree/hash.ts';
import type { TreeHead } from '../tree/verify-inclusion.ts';
import type { BlockResult } from './check-block.ts';
import type { BundleLog } from './lines.ts';

/** A root that the tree must have had at a size, and what to do when it had another, or never grew so large. */
export interface ExpectedHead extends TreeHead {
  readonly onMismatch: (message: string) => void;
  readonly onBeyond: (message: string) => void;
}

/** Grows the tree of one log from its tiles and compares it, at their sizes, with what was signed. */
export interface LogWalk {
  readonly log: BundleLog;
  readonly size: number;
  /** Errors: `bad_line` for another tile than the next, or of another width. */
  add(block: Pick<BlockResult, 'epoch' | 'index' | 'hashes' | 'root'>): void;
  /** After the last tile: the root. */
  finish(): Uint8Array;
}

export function createLogWalk(log: BundleLog, expected: readonly ExpectedHead[]): LogWalk {
  const heads = expected.toSorted((a, b) => a.size - b.size);
  let range = emptyRange();
  let next = 0;
  const compareUpTo = (bound: number, rootAt: (size: number) => Uint8Array) => {
    for (let head = heads[next]; head && head.size <= bound; head = heads[++next]) {
      if (equalBytes(rootAt(head.size), head.root)) continue;
      head.onMismatch(`at ${head.size} entries the tree has another root than was signed`);
    }
  };
  return {
    log,
    get size() {
      return range.end;
    },
    add: ({ epoch, index, hashes, root }) => {
      const width = Math.min(tileWidth, log.size - range.end);
      if (epoch !== log.epoch || index * tileWidth !== range.end || hashes.length !== width * 32) {
        const wanted = width > 0 ? `tile ${range.end / tileWidth} with ${width} hashes` : 'no more tiles';
        throw new TlogError('bad_line', `of epoch ${log.epoch} comes next ${wanted}`);
      }
      const leaves = splitHashes(hashes);
      const before = range;
      let within = range;
      compareUpTo(range.end + width, (size) => {
        within = appendLeaves(within, leaves.slice(within.end - before.end, size - before.end));
        return rootOfRange(within);
      });
      range = root
        ? mergeRanges(before, { start: before.end, end: before.end + width, hashes: [root] })
        : appendLeaves(before, leaves);
    },
    finish: () => {
      compareUpTo(range.end, () => rootOfRange(range));
      for (const head of heads.slice(next)) {
        head.onBeyond(`the log was signed at ${head.size} entries; the bundle has ${range.end}`);
      }
      return rootOfRange(range);
    },
  };
}
