import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { UsageError } from '../cli/exit.ts';

/** A file that appears under its name only when it is whole. */
export interface OutputFile {
  readonly stream: Writable;
  /** Gives the written file its name; call when the stream has finished. */
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/**
 * Write to `<file>.part`, readable by its owner only, since exports hold personal data.
 *
 * Throws UsageError when `file` exists and may not be replaced, when another export is writing it, or when it
 * cannot be written.
 */
export async function openOutput(
  file: string,
  { replace }: { readonly replace: boolean },
): Promise<OutputFile> {
  const part = `${file}.part`;
  if (!replace && (await exists(file))) throw new UsageError(`${file} exists: give another name, or --force`);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(part, 'wx', 0o600);
  } catch (error) {
    const busy = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const reason = busy
      ? 'it is left from an export that was killed, or another is running'
      : (error as Error).message;
    throw new UsageError(`${part} cannot be written: ${reason}`, { cause: error });
  }
  const stream = createWriteStream(part, { fd: handle, flush: true });
  return {
    stream,
    commit: () => rename(part, file),
    discard: async () => {
      stream.destroy();
      await rm(part, { force: true });
    },
  };
}

async function exists(file: string): Promise<boolean> {
  try {
    await (await open(file, 'r')).close();
    return true;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
  }
}
