import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineSplitter, type Line } from './lines.ts';

function linesOf(chunks: Iterable<Uint8Array>, lineBytesMax = 64): Line[] {
  const splitter = createLineSplitter({ lineBytesMax });
  return [...Array.from(chunks, (chunk) => splitter.push(chunk)).flat(), ...splitter.end()];
}

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

const mark = [0xef, 0xbb, 0xbf];

test('lines end with LF or CR LF, and the last one with the file', () => {
  expect(linesOf([bytes('a\r\nbb\n\n \t\nccc')])).toEqual([
    { number: 1, bytes: 1, text: 'a' },
    { number: 2, bytes: 2, text: 'bb' },
    { number: 5, bytes: 3, text: 'ccc' },
  ]);
  expect(linesOf([bytes('a\n')])).toEqual([{ number: 1, bytes: 1, text: 'a' }]);
  expect(linesOf([])).toEqual([]);
});

test('a byte order mark counts for nothing at the start, and as text elsewhere', () => {
  expect(linesOf([bytes(mark, 'a\n', mark, 'b')])).toEqual([
    { number: 1, bytes: 1, text: 'a' },
    { number: 2, bytes: 4, text: '\u{feff}b' },
  ]);
});

test('a line that is not UTF-8 or too long is reported by its number, and the next ones are read', () => {
  expect(linesOf([bytes('a\n', [0xc3, 0x28], '\n', 'x'.repeat(65), '\n', 'x'.repeat(64))])).toEqual([
    { number: 1, bytes: 1, text: 'a' },
    { number: 2, bytes: 2, problem: 'not_utf8' },
    { number: 3, bytes: 65, problem: 'too_long' },
    { number: 4, bytes: 64, text: 'x'.repeat(64) },
  ]);
});

test('the mark and the CR do not count against the limit', () => {
  expect(linesOf([bytes(mark, 'x'.repeat(64), '\r\n', 'y'.repeat(65), '\r')])).toEqual([
    { number: 1, bytes: 64, text: 'x'.repeat(64) },
    { number: 2, bytes: 65, problem: 'too_long' },
  ]);
});

test('a line of any length needs no more memory than the limit', () => {
  const piece = Buffer.alloc(1 << 20, 'x');
  function* long() {
    for (let count = 0; count < 64; count += 1) yield piece;
    yield bytes('\nlast');
  }
  const before = process.memoryUsage().arrayBuffers;
  expect(linesOf(long(), 1 << 16)).toEqual([
    { number: 1, bytes: 64 << 20, problem: 'too_long' },
    { number: 2, bytes: 4, text: 'last' },
  ]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20);
});

test('the chunks in which a file arrives make no difference', () => {
  const part = fc.oneof(
    fc.string({ maxLength: 40, unit: 'binary' }).map((text) => Buffer.from(text.toWellFormed())),
    fc.constantFrom('\n', '\r\n', '\r', ' ', '').map((text) => Buffer.from(text)),
    fc.constant(Buffer.from(mark)),
    fc.uint8Array({ maxLength: 8 }).map((array) => Buffer.from(array)),
    fc.nat(100).map((length) => Buffer.alloc(length, 'y')),
  );
  const whole = fc.array(part, { maxLength: 12 }).map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(whole, fc.array(fc.nat(), { maxLength: 20 }), (file, cuts) => {
      const positions = [0, ...cuts.map((cut) => cut % (file.length + 1)), file.length].toSorted(
        (a, b) => a - b,
      );
      const chunks = positions.slice(1).map((end, index) => file.subarray(positions[index], end));
      expect(linesOf(chunks)).toEqual(linesOf([file]));
    }),
  );
});
