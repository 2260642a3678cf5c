import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { openOutput } from './open-output.ts';

export interface WriteBundle {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** gzip when its name ends in .gz. */
  readonly file: string;
  readonly replace: boolean;
  readonly signal: AbortSignal;
  readonly onWritten?: (bytes: number) => void;
}

/** Write a bundle to a file, which appears only when it is whole; returns how many bytes the bundle has. */
export async function writeBundle({
  chunks,
  file,
  replace,
  signal,
  onWritten,
}: WriteBundle): Promise<number> {
  const output = await openOutput(file, { replace });
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      onWritten?.(bytes);
      yield chunk;
    }
  }
  try {
    const steps = file.endsWith('.gz') ? [createGzip()] : [];
    await pipeline([Readable.from(counted(), { objectMode: false }), ...steps, output.stream], { signal });
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return bytes;
}
