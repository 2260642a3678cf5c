import { createLineSplitter, type Line } from '@annals/contract';

/** The lines of a byte stream; see `createLineSplitter`. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly lineBytesMax: number },
): AsyncGenerator<Line> {
  const splitter = createLineSplitter(options);
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}
