import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Placing {
  readonly folder: string;
  readonly name: string;
  readonly text: string;
}

/**
 * Write a file that is whole and durable from the moment it has its name, readable by its owner only.
 *
 * Returns false, with nothing changed, where the name is taken: of any number of processes that place the
 * same name one succeeds, which a rename could not promise. Needs a file system with hard links.
 */
export async function placeFile({ folder, name, text }: Placing): Promise<boolean> {
  await makeFolder(folder);
  const part = join(folder, `${randomUUID()}.part`);
  try {
    await writeDurably(part, text);
    await link(part, join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(part, { force: true });
  }
  await syncFolder(folder);
  return true;
}

/** A folder is durable once the one above it is. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const above = dirname(first);
  for (let at = folder; at !== above; at = dirname(at)) await syncFolder(dirname(at));
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders; its file systems log what is linked.
  if (process.platform === 'win32') return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
