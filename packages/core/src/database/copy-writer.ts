/**
 * Rows in the binary form of COPY: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format". A value is
 * its length and then its bytes, as the receive function of its type reads them.
 */
export interface CopyWriter {
  bytes: Buffer;
  /** Where the next byte goes. */
  at: number;
}

const signature = Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1');
/** No flags, and no extension of the header. */
const headerRest = Buffer.alloc(8);

/** Begin with room for so many bytes; more is made when it is needed. */
export function beginCopy(bytes: number): CopyWriter {
  const writer = { bytes: Buffer.allocUnsafe(Math.max(bytes, 64)), at: 0 };
  writeRaw(writer, signature);
  writeRaw(writer, headerRest);
  return writer;
}

/** The rows, ended; the writer is not to be used any more. */
export function endCopy(writer: CopyWriter): Buffer {
  writeInt16(writer, -1);
  return writer.bytes.subarray(0, writer.at);
}

/** Begin a row of so many values. */
export function beginRow(writer: CopyWriter, columns: number): void {
  writeInt16(writer, columns);
}

export function writeNull(writer: CopyWriter): void {
  writeInt32(writer, -1);
}

/** For text, and for enums. */
export function writeText(writer: CopyWriter, text: string): void {
  const start = beginValue(writer);
  writeUtf8(writer, text);
  endValue(writer, start);
}

/** For jsonb, whose binary form is its version and its text. */
export function writeJson(writer: CopyWriter, value: object): void {
  const start = beginValue(writer);
  writeByte(writer, 1);
  writeUtf8(writer, JSON.stringify(value));
  endValue(writer, start);
}

const textOid = 25;

/** For text[]. */
export function writeTexts(writer: CopyWriter, texts: readonly string[]): void {
  const start = beginValue(writer);
  const dimensions = texts.length > 0 ? 1 : 0;
  writeInt32(writer, dimensions);
  writeInt32(writer, 0); // No nulls among them.
  writeInt32(writer, textOid);
  if (dimensions > 0) {
    writeInt32(writer, texts.length);
    writeInt32(writer, 1); // The index of the first.
    for (const text of texts) writeText(writer, text);
  }
  endValue(writer, start);
}

/** For bytea. */
export function writeBytes(writer: CopyWriter, bytes: Uint8Array): void {
  writeInt32(writer, bytes.length);
  writeRaw(writer, bytes);
}

export function writeUuid(writer: CopyWriter, uuid: string): void {
  writeInt32(writer, 16);
  reserve(writer, 16);
  for (let at = 0; at < uuid.length; at += 2) {
    if (uuid.charCodeAt(at) === hyphen) at += 1;
    const high = hexDigits[uuid.charCodeAt(at)] as number;
    const low = hexDigits[uuid.charCodeAt(at + 1)] as number;
    writer.bytes[writer.at++] = (high << 4) | low;
  }
}

const hyphen = 0x2d;
/** The value of a digit by its character. */
const hexDigits = new Uint8Array(128);
for (const [value, digit] of Array.from('0123456789abcdef').entries()) hexDigits[digit.charCodeAt(0)] = value;

const epochMs = Date.UTC(2000, 0, 1);

/** For timestamptz: microseconds since 2000. */
export function writeMoment(writer: CopyWriter, moment: Date): void {
  writeInt32(writer, 8);
  reserve(writer, 8);
  writer.bytes.writeBigInt64BE(BigInt(moment.getTime() - epochMs) * 1_000n, writer.at);
  writer.at += 8;
}

export function writeBoolean(writer: CopyWriter, value: boolean): void {
  writeInt32(writer, 1);
  writeByte(writer, value ? 1 : 0);
}

/** For int. */
export function writeInteger(writer: CopyWriter, value: number): void {
  writeInt32(writer, 4);
  writeInt32(writer, value);
}

/** Bytes as they are: values, or parts of one, that were written before. */
export function writeRaw(writer: CopyWriter, bytes: Uint8Array): void {
  reserve(writer, bytes.length);
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

/** Leave room for the length of a value; returns where its bytes begin. */
function beginValue(writer: CopyWriter): number {
  reserve(writer, 4);
  writer.at += 4;
  return writer.at;
}

function endValue(writer: CopyWriter, start: number): void {
  putInt32(writer.bytes, start - 4, writer.at - start);
}

/** Up to this many characters a loop is faster than a call of the encoder. */
const loopCharactersMax = 48;

function writeUtf8(writer: CopyWriter, text: string): void {
  reserve(writer, text.length * 3);
  if (text.length > loopCharactersMax || !writeAscii(writer, text)) {
    writer.at += writer.bytes.write(text, writer.at, 'utf8');
  }
}

/** Whether it was ASCII; if not, what was written is to be overwritten by what is longer. */
function writeAscii(writer: CopyWriter, text: string): boolean {
  const { bytes, at } = writer;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character > 0x7f) return false;
    bytes[at + index] = character;
  }
  writer.at += text.length;
  return true;
}

function writeByte(writer: CopyWriter, value: number): void {
  reserve(writer, 1);
  writer.bytes[writer.at++] = value;
}

function writeInt16(writer: CopyWriter, value: number): void {
  reserve(writer, 2);
  writer.bytes[writer.at++] = value >> 8;
  writer.bytes[writer.at++] = value;
}

function writeInt32(writer: CopyWriter, value: number): void {
  reserve(writer, 4);
  putInt32(writer.bytes, writer.at, value);
  writer.at += 4;
}

function putInt32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

function reserve(writer: CopyWriter, length: number): void {
  const needed = writer.at + length;
  if (needed <= writer.bytes.length) return;
  const grown = Buffer.allocUnsafe(Math.max(needed, writer.bytes.length * 2));
  writer.bytes.copy(grown, 0, 0, writer.at);
  writer.bytes = grown;
}
