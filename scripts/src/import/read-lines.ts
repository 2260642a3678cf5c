/** One line of a file: its text, or why it has none. Numbers count from 1; blank lines are left out. */
export type Line = {
  readonly number: number;
  /** Of the line in the file, without its end. */
  readonly bytes: number;
} & ({ readonly text: string } | { readonly problem: 'too_long' | 'not_utf8' });

export interface ReadLinesOptions {
  /** A longer line is reported and passed over; never more than this is held in memory. */
  readonly lineBytesMax: number;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * The lines of a byte stream, whatever its chunks: ended by LF or CR LF, the last one also by the end of the
 * stream. A byte order mark at the start is no part of the first.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { lineBytesMax }: ReadLinesOptions,
): AsyncGenerator<Line> {
  // Room for the mark and the CR, which do not count.
  const heldMax = lineBytesMax + byteOrderMark.length + 1;
  let number = 1;
  let held: Uint8Array[] = [];
  let size = 0;
  const hold = (part: Uint8Array) => {
    // A copy: streams may reuse their buffers.
    if (size + part.length <= heldMax) held.push(part.slice());
    else held = [];
    size += part.length;
  };
  const take = (): Line | undefined => {
    const line = size > heldMax ? tooLong(number, size) : toLine(number, Buffer.concat(held), lineBytesMax);
    number += 1;
    held = [];
    size = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end === -1) break;
      hold(chunk.subarray(start, end));
      const line = take();
      if (line) yield line;
      start = end + 1;
    }
    if (start < chunk.length) hold(chunk.subarray(start));
  }
  const last = size > 0 ? take() : undefined;
  if (last) yield last;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function toLine(number: number, bytes: Uint8Array, lineBytesMax: number): Line | undefined {
  const marked = number === 1 && byteOrderMark.every((byte, index) => bytes[index] === byte);
  const start = marked ? byteOrderMark.length : 0;
  const end = bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length;
  const line = bytes.subarray(start, Math.max(start, end));
  if (line.length > lineBytesMax) return tooLong(number, line.length);
  try {
    const text = decoder.decode(line);
    return text.trim() === '' ? undefined : { number, bytes: line.length, text };
  } catch {
    return { number, bytes: line.length, problem: 'not_utf8' };
  }
}

function tooLong(number: number, bytes: number): Line {
  return { number, bytes, problem: 'too_long' };
}
