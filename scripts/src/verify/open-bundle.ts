import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UsageError } from '../cli/exit.ts';

const chunkBytes = 1024 * 1024;

/** The compressed bytes of a bundle do not come to an end, or are none. */
export class BrokenGzip extends Error {}

/**
 * The bytes of a bundle: of a file or, for `-`, of standard input; gzip is known by its first bytes, whatever the
 * name.
 *
 * Errors  UsageError for a file that cannot be read; BrokenGzip while it is read.
 */
export async function* readBundleFile(file: string, stdin: Readable): AsyncGenerator<Uint8Array> {
  const source = file === '-' ? stdin : await openFile(file);
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await chunks.next();
  if (first.done) return;
  const all = behind(first.value, chunks);
  if (first.value[0] === 0x1f && first.value[1] === 0x8b) yield* gunzip(all);
  else yield* all;
}

async function openFile(file: string): Promise<Readable> {
  try {
    if ((await stat(file)).isDirectory()) throw new Error('it is a directory');
    const stream = createReadStream(file, { highWaterMark: chunkBytes });
    await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject));
    return stream;
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function* behind(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unzip = createGunzip({ chunkSize: chunkBytes });
  const feeding = feed(chunks, unzip);
  try {
    for await (const chunk of unzip) yield chunk as Uint8Array;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_'))
      throw new BrokenGzip('the compressed bytes are broken off, or damaged', { cause: error });
    throw error;
  } finally {
    unzip.destroy();
    await feeding;
  }
}

async function feed(
  chunks: AsyncIterable<Uint8Array>,
  unzip: ReturnType<typeof createGunzip>,
): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (unzip.destroyed) return;
      if (!unzip.write(chunk)) {
        await new Promise<void>((resolve) => unzip.once('drain', resolve).once('close', resolve));
      }
    }
    unzip.end();
  } catch (error) {
    unzip.destroy(error as Error);
  }
}
