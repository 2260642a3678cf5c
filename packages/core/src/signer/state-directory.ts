import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AnnalsError } from '@annals/contract';
import { decodeBase64, encodeBase64, hashBytes } from '@annals/tlog';
import { makeDirectory, replaceFile } from './durable-file.ts';
import { isMissing, unusable } from './file-errors.ts';
import type { SignedHead, SignerState } from './signer-state.ts';

/**
 * The signer's memory as files: `<dir>/state/<SHA-256 of the origin>.json`, one a log, replaced in one step.
 * Several processes may share the directory; it is made where it is absent.
 *
 * Errors  `invalid_input` where it cannot be made.
 */
export async function openStateDirectory(dir: string): Promise<SignerState> {
  const path = join(dir, 'state');
  try {
    await makeDirectory(path);
  } catch (error) {
    throw unusable(path, 'cannot be made; check its permissions', error);
  }
  return {
    read: async (origin) => headOf(await readText(path, origin), { path: fileOf(path, origin), origin }),
    write: async (origin, head, known) => {
      const before = known && textOf(origin, known);
      await replaceFile({
        path: fileOf(path, origin),
        text: textOf(origin, head),
        // One signer at a time is the rule; this is for a directory that serves two databases by mistake.
        beforeRename: async () => {
          if ((await readText(path, origin)) !== before) throw takenOver();
        },
      });
    },
    origins: () => readOrigins(path),
  };
}

function fileOf(path: string, origin: string): string {
  return join(path, `${createHash('sha256').update(origin).digest('hex')}.json`);
}

async function readText(path: string, origin: string): Promise<string | undefined> {
  const file = fileOf(path, origin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unusable(file, 'cannot be read; restore its permissions', error);
  }
}

async function readOrigins(path: string): ReturnType<SignerState['origins']> {
  const origins: string[] = [];
  const damaged: string[] = [];
  for (const name of await readdir(path)) {
    if (!/^[0-9a-f]{64}\.json$/.test(name)) continue;
    const file = join(path, name);
    try {
      const { origin } = parse(await readFile(file, 'utf8'), file);
      if (fileOf(path, origin) === file) origins.push(origin);
      else damaged.push(file);
    } catch {
      damaged.push(file);
    }
  }
  return { origins: origins.toSorted(), damaged };
}

interface StoredHead extends SignedHead {
  readonly origin: string;
}

function textOf(origin: string, { size, root, keys }: SignedHead): string {
  return `${JSON.stringify({ version: 1, origin, size, root: encodeBase64(root), keys }, null, 2)}\n`;
}

function headOf(
  text: string | undefined,
  { path, origin }: { path: string; origin: string },
): SignedHead | undefined {
  if (text === undefined) return undefined;
  const { origin: stored, size, root, keys } = parse(text, path);
  if (stored !== origin) throw damagedError(path);
  return { size, root, keys };
}

/** What `textOf` wrote, and nothing else: a file that was cut short or edited is no memory. */
function parse(text: string, path: string): StoredHead {
  try {
    const { origin, size, root, keys } = JSON.parse(text) as Record<
      'origin' | 'size' | 'root' | 'keys',
      never
    >;
    const head: StoredHead = { origin, size, root: decodeBase64(root), keys };
    const whole = Number.isSafeInteger(size) && size > 0 && head.root.length === hashBytes;
    if (whole && Array.isArray(keys) && textOf(origin, head) === text) return head;
  } catch (error) {
    throw damagedError(path, error);
  }
  throw damagedError(path);
}

function damagedError(path: string, cause?: unknown): AnnalsError {
  return unusable(
    path,
    'is damaged; it says what was last signed, so restore it from a backup of the same time or newer, or open a new epoch (docs/signing.md)',
    cause,
  );
}

function takenOver(): AnnalsError {
  return new AnnalsError({
    code: 'unavailable',
    message:
      'another signer wrote the state of this log at the same time; is its directory shared with another database?',
  });
}
