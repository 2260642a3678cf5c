import { decodeText, encodeText } from '../text.ts';
import { tileWidth } from '../tiles/tile.ts';
import { TlogError } from '../tlog-error.ts';
import { createGrowingBytes } from './growing-bytes.ts';
import { bundleLimits } from './lines.ts';

/**
 * What a bundle is checked by: a line by itself, or a block, which is a tile's line and those of its records as
 * they stand in the file, for another thread to read. `line` is the number of its first, from 1.
 */
export type BundlePart =
  | { readonly kind: 'line'; readonly line: number; readonly text: string }
  | { readonly kind: 'block'; readonly line: number; readonly bytes: Uint8Array };

export interface BundleSplitter {
  /** The parts that are complete with these bytes; they are copied. */
  push(chunk: Uint8Array): BundlePart[];
  /** At the end of the file. */
  end(): BundlePart[];
}

const newline = 0x0a;
const marks = { tile: encodeText('{"type":"tile",'), record: encodeText('{"type":"record",') } as const;

/**
 * Cut the bytes of a bundle into parts, whatever their chunks.
 *
 * Limits  of `bundleLimits`: never more than one block and one chunk is held.
 * Errors  `bad_line` and `too_large`, naming the line; `bad_text`.
 */
export function createBundleSplitter(): BundleSplitter {
  const held = createGrowingBytes();
  /** Where the line in hand begins, and how far it was searched for its end. */
  let lineStart = 0;
  let searched = 0;
  let line = 1;
  let block: Block | undefined;

  const endBlock = (): BundlePart[] => {
    if (!block) return [];
    const { start, line: first } = block;
    block = undefined;
    return [{ kind: 'block', line: first, bytes: held.view(start, lineStart).slice() }];
  };
  const takeLine = (bytes: Uint8Array): BundlePart[] => {
    if (beginsWith(bytes, marks.record)) {
      if (!block) throw malformed(line, 'a record stands before the tile of its index');
      block.records += 1;
      if (block.records > tileWidth) throw malformed(line, `a tile has at most ${tileWidth} records`);
      return [];
    }
    const parts = endBlock();
    if (beginsWith(bytes, marks.tile)) block = { start: lineStart, line, records: 0 };
    else parts.push({ kind: 'line', line, text: decodeLine(bytes, line) });
    return parts;
  };
  const nextLine = (): Uint8Array | undefined => {
    const rest = held.view(searched, held.length);
    const at = rest.indexOf(newline);
    const end = at === -1 ? held.length : searched + at;
    checkLength(end - lineStart, { line, what: 'a line', bytesMax: bundleLimits.lineBytesMax });
    searched = at === -1 ? end : end + 1;
    return at === -1 ? undefined : held.view(lineStart, end);
  };
  return {
    push: (chunk) => {
      held.append(chunk);
      const parts: BundlePart[] = [];
      for (let bytes = nextLine(); bytes; bytes = nextLine()) {
        parts.push(...takeLine(bytes));
        lineStart = searched;
        line += 1;
        const blockBytes = block ? lineStart - block.start : 0;
        checkLength(blockBytes, {
          line,
          what: 'a tile with its records',
          bytesMax: bundleLimits.blockBytesMax,
        });
      }
      const kept = block?.start ?? lineStart;
      held.drop(kept);
      lineStart -= kept;
      searched -= kept;
      if (block) block.start = 0;
      return parts;
    },
    end: () => {
      if (lineStart < held.length) throw malformed(line, 'the last line does not end');
      // Records of a block that no line follows may be missing: a whole bundle ends in another line.
      return [];
    },
  };
}

interface Block {
  start: number;
  readonly line: number;
  records: number;
}

interface LengthCheck {
  readonly line: number;
  readonly what: string;
  readonly bytesMax: number;
}

function checkLength(bytes: number, { line, what, bytesMax }: LengthCheck): void {
  if (bytes <= bytesMax) return;
  throw new TlogError('too_large', `line ${line}: ${what} has at most ${bytesMax} bytes`);
}

function beginsWith(bytes: Uint8Array, mark: Uint8Array): boolean {
  return mark.every((byte, at) => bytes[at] === byte);
}

function decodeLine(bytes: Uint8Array, line: number): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    throw new TlogError('bad_line', `line ${line}: not valid UTF-8`, { cause });
  }
}

function malformed(line: number, message: string): TlogError {
  return new TlogError('bad_line', `line ${line}: ${message}`);
}
