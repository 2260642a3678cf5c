import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { processMarker } from './process-table.ts';
import { hasCode, StartError } from './start-error.ts';

export interface ProcessLock {
  release(): Promise<void>;
}

export interface ProcessLockOptions {
  readonly dataDir: string;
  readonly log: Logger;
  /** How long a holder whose processes are invisible from here is watched for a sign of life. */
  readonly watchMs?: number;
}

const holderSchema = z.object({
  pid: z.number().int().positive(),
  marker: z.string(),
  host: z.string(),
  /** Tells one claim from every other. */
  claim: z.string(),
});

type Holder = z.output<typeof holderSchema>;

const heartbeatMs = 2_000;

/**
 * Claim the data directory for this process, with `annals.pid` in it.
 *
 * A file left by a process that is gone is taken over. Where the holder ran on another host, or in another
 * container on a shared volume, its number means nothing here: it is watched for the heartbeat that every
 * holder gives its file, because two servers on one cluster would destroy it.
 * Errors: StartError naming the live holder.
 */
export async function acquireProcessLock(options: ProcessLockOptions): Promise<ProcessLock> {
  const file = join(options.dataDir, 'annals.pid');
  const claim = randomBytes(8).toString('hex');
  const marker = processMarker(process.pid) ?? '';
  const own = JSON.stringify({ pid: process.pid, marker, host: hostId(), claim });
  for (let tookOver = false; ; ) {
    if (await create(file, own)) {
      // Another start that judged the same file stale may be moving ours away and putting it back.
      if (tookOver) await delay(50);
      if ((await read(file)) === own) return holdLock(file, own);
      continue;
    }
    const found = await read(file);
    const holder = parseHolder(found);
    if (holder && (await isLive(holder, file, options))) {
      const where = holder.host === hostId() ? '' : ` on host ${holder.host.split(' ')[0]}`;
      throw new StartError(
        `The data directory ${options.dataDir} is in use by the running Annals process ${holder.pid}${where}; stop it or set ANNALS_DATA_DIR to another directory.`,
      );
    }
    await discard(file, found);
    tookOver = true;
  }
}

function holdLock(file: string, own: string): ProcessLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    // Losing one beat is harmless, and a vanished data directory shows elsewhere.
    utimes(file, now, now).catch(() => undefined);
  }, heartbeatMs);
  heartbeat.unref();
  return {
    release: async () => {
      clearInterval(heartbeat);
      if ((await read(file)) === own) await rm(file, { force: true });
    },
  };
}

// Complete or absent: linked under its name only when written.
async function create(file: string, content: string): Promise<boolean> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(temporary, content, { flag: 'wx', mode: 0o644 });
    await link(temporary, file);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

// Two starts may both find the same stale file: whoever moved away something else puts it back.
async function discard(file: string, stale: string): Promise<void> {
  const aside = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((await read(aside)) !== stale) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

async function isLive(holder: Holder, file: string, { log, watchMs = 5 * heartbeatMs }: ProcessLockOptions) {
  if (holder.host === hostId()) return processMarker(holder.pid) === holder.marker;
  log.info(
    { file, watchMs },
    'the data directory was last used on another host; watching whether it still is',
  );
  const before = await modifiedMs(file);
  await delay(watchMs);
  const after = await modifiedMs(file);
  return after !== undefined && after !== before;
}

async function modifiedMs(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.mtimeMs;
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  });
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    // Torn by a crash or a full disk: nobody holds it.
    return undefined;
  }
}

/** The host, and on Linux the process namespace: within it, a process number means the same to everyone. */
export function hostId(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
