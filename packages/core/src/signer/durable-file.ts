import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A file of the signer, for its owner alone; on disk under its name, whole, when this returns. */
export interface DurableFile {
  readonly path: string;
  readonly text: string;
  /** Called when everything but the change of the name is done. */
  readonly beforeRename?: () => Promise<void>;
}

/** Replace a file in one step: after a crash it holds what it held before, or the new text. */
export async function replaceFile({ path, text, beforeRename }: DurableFile): Promise<void> {
  await withTemporary({ path, text }, async (temporary) => {
    await beforeRename?.();
    await rename(temporary, path);
  });
}

/** As `replaceFile`, for a file that must not be there yet: fails with `EEXIST` otherwise. */
export async function createFile({ path, text }: DurableFile): Promise<void> {
  await withTemporary({ path, text }, (temporary) => link(temporary, path));
}

/** Make a directory for its owner alone, and those above; on disk when this returns. */
export async function makeDirectory(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let at = path; at.length >= made.length; at = dirname(at)) await syncDirectory(dirname(at));
}

/** Put on disk what was created, renamed or removed in a directory. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows has no such thing; its file systems keep the order by themselves.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function withTemporary(
  { path, text }: DurableFile,
  finish: (temporary: string) => Promise<void>,
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      // Root may be working on somebody's directory, who wants to go on with it.
      const owner = await stat(directory);
      if (process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
      await file.sync();
    } finally {
      await file.close();
    }
    await finish(temporary);
    await syncDirectory(directory);
  } finally {
    await rm(temporary, { force: true });
  }
}
