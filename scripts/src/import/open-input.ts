import { createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UsageError } from '../cli/exit.ts';

/** A source of lines: a file, a gzip file by its name, or standard input. */
export interface Input {
  readonly name: string;
  /** Read once. Aborting the signal fails the reading, also while nothing comes. */
  open(signal: AbortSignal | undefined): AsyncIterable<Uint8Array>;
}

/** The inputs by name, `-` for standard input. Throws UsageError for one that cannot be read, before any is. */
export async function openInputs(names: readonly string[], stdin: Readable): Promise<Input[]> {
  if (names.filter((name) => name === '-').length > 1) {
    throw new UsageError('standard input (-) can be read once only');
  }
  return Promise.all(
    names.map(async (name) =>
      name === '-' ? { name, open: (signal) => abortedBy(signal, stdin) } : fileInput(name),
    ),
  );
}

async function fileInput(name: string): Promise<Input> {
  try {
    await access(name, constants.R_OK);
    if ((await stat(name)).isDirectory()) throw new Error('it is a directory');
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  return {
    name,
    open: (signal) => {
      const file = abortedBy(signal, createReadStream(name, { highWaterMark: 256 * 1024 }));
      // Who reads the last stream sees the error of any, so that nothing is left to do here.
      return name.endsWith('.gz') ? pipeline(file, createGunzip(), () => {}) : file;
    },
  };
}

function abortedBy(signal: AbortSignal | undefined, stream: Readable): Readable {
  return signal ? addAbortSignal(signal, stream) : stream;
}
