import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const DevAccess = z.object({ url: z.string(), apiKey: z.string(), tenantId: z.string() });

/** What tools on this machine need to talk to the development server; `dev.json` of the data directory. */
export type DevAccess = z.output<typeof DevAccess>;

/** The access that an earlier start wrote, or undefined when there is none that can be read. */
export async function readDevAccess(dataDir: string): Promise<DevAccess | undefined> {
  try {
    return DevAccess.parse(JSON.parse(await readFile(join(dataDir, 'dev.json'), 'utf8')));
  } catch {
    // A new key costs nothing, and a damaged file is replaced by a whole one.
    return undefined;
  }
}

/** Replace `dev.json` in one step; only its owner may read it, since it holds a key. */
export async function writeDevAccess(dataDir: string, access: DevAccess): Promise<void> {
  const file = join(dataDir, 'dev.json');
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, `${JSON.stringify(access, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, file);
}
