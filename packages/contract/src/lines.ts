/** A line of a text file that is not blank: its text, or why it has none. Numbers count from 1, blank lines too. */
export type Line = {
  readonly number: number;
  /** Without its end. */
  readonly bytes: number;
} & ({ readonly text: string } | { readonly problem: 'too_long' | 'not_utf8' });

export interface LineSplitter {
  /** The lines that end in this part of the bytes. It may be used for something else afterwards. */
  push(chunk: Uint8Array): Line[];
  /** The line that ends with the bytes, if there is one. */
  end(): Line[];
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * The lines of a stream of bytes, whatever its parts: ended by LF or CR LF, the last one also by the end of the
 * stream. A byte order mark at the start is no part of the first.
 *
 * A line of more than `lineBytesMax` is told and passed over; never more than that is held.
 */
export function createLineSplitter({ lineBytesMax }: { readonly lineBytesMax: number }): LineSplitter {
  // Room for the mark and the CR, which do not count.
  const heldMax = lineBytesMax + byteOrderMark.length + 1;
  let number = 0;
  let held: Uint8Array[] = [];
  let size = 0;
  const hold = (part: Uint8Array) => {
    size += part.length;
    // A copy: streams may reuse their buffers.
    if (size <= heldMax) held.push(part.slice());
    else held = [];
  };
  const take = (last: Uint8Array): Line[] => {
    number += 1;
    const whole = size + last.length;
    const bytes = whole > heldMax ? undefined : held.length === 0 ? last : join([...held, last]);
    held = [];
    size = 0;
    const line = bytes ? toLine(number, bytes, lineBytesMax) : tooLong(number, whole);
    return line ? [line] : [];
  };
  return {
    push: (chunk) => {
      const lines: Line[] = [];
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        lines.push(...take(chunk.subarray(start, end)));
        start = end + 1;
      }
      if (start < chunk.length) hold(chunk.subarray(start));
      return lines;
    },
    end: () => (size > 0 ? take(new Uint8Array(0)) : []),
  };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function toLine(number: number, bytes: Uint8Array, lineBytesMax: number): Line | undefined {
  const marked = number === 1 && byteOrderMark.every((byte, at) => bytes[at] === byte);
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

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
