import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UsageError } from '../cli/exit.ts';

/** A source of lines: a file, a gzip file by its name, or standard input. */
export interface Input {
  readonly name: string;
  /** As it lies on disk; undefined for standard input. */
  readonly bytes?: number;
  /** Read once; `onRead` is told how many bytes of the file were taken. */
  open(onRead: (bytes: number) => void): AsyncIterable<Uint8Array>;
}

/** The inputs by name, `-` for standard input. Throws UsageError for one that cannot be read, before any is. */
export async function openInputs(names: readonly string[]): Promise<Input[]> {
  if (names.filter((name) => name === '-').length > 1)
    throw new UsageError('standard input (-) can be read once only');
  return Promise.all(names.map(async (name) => (name === '-' ? standardInput : fileInput(name))));
}

const standardInput: Input = {
  name: '-',
  open: (onRead) => counted(process.stdin, onRead),
};

async function fileInput(name: string): Promise<Input> {
  try {
    await access(name, constants.R_OK);
    const info = await stat(name);
    if (info.isDirectory()) throw new Error('it is a directory');
    return {
      name,
      bytes: info.size,
      open: (onRead) => {
        const file = counted(createReadStream(name, { highWaterMark: 256 * 1024 }), onRead);
        // Who reads the last stream sees the error of any, so that nothing is left to do here.
        return name.endsWith('.gz') ? pipeline(file, createGunzip(), () => {}) : file;
      },
    };
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function* counted(stream: Readable, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    onRead(chunk.length);
    yield chunk;
  }
}
