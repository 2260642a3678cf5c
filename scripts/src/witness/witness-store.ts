import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { placeFile } from './place-file.ts';

/** What the witness cosigned last of a log. */
export interface Kept {
  /** How often it has cosigned the log; 0 where it never did. */
  readonly generation: number;
  readonly note?: string;
}

export interface Advance {
  /** The generation that was decided from. */
  readonly after: number;
  readonly note: string;
}

/** Holds the newest cosigned checkpoint of each log; several processes may work on one folder. */
export interface WitnessStore {
  read(logId: string): Promise<Kept>;
  /**
   * Put a checkpoint in the place of the one that was decided from; durable once it returns true. False where
   * another has taken that place since: decide again.
   */
  advance(logId: string, next: Advance): Promise<boolean>;
}

/** How a log is found (C2SP tlog-witness, "Monitor Retrieval Mechanism"): SHA-256 of the origin in hex. */
export function logIdOf(origin: string): string {
  return createHash('sha256').update(origin).digest('hex');
}

/** The store in `<dir>/logs`: a folder for each log, and in it the note of the newest generation by its number. */
export function openWitnessStore(dir: string): WitnessStore {
  const folderOf = (logId: string) => resolve(dir, 'logs', logId);
  return {
    read: (logId) => readNewest(folderOf(logId)),
    advance: (logId, next) => advance(folderOf(logId), next),
  };
}

async function readNewest(folder: string): Promise<Kept> {
  for (;;) {
    const generation = Math.max(0, ...(await generationsIn(folder)));
    if (generation === 0) return { generation };
    try {
      return { generation, note: await readFile(join(folder, fileOf(generation)), 'utf8') };
    } catch (error) {
      // Removed since: there is a newer one.
      if (!isAbsent(error)) throw error;
    }
  }
}

async function advance(folder: string, { after, note }: Advance): Promise<boolean> {
  const generation = after + 1;
  if (!(await placeFile({ folder, name: fileOf(generation), text: note }))) return false;
  // The number may have been free because those that passed it were cleaned up. The newest is never removed,
  // so that whoever comes late sees it here.
  const generations = await generationsIn(folder);
  const isNewest = Math.max(...generations) === generation;
  const passed = isNewest ? generations.filter((other) => other < generation) : [generation];
  for (const other of passed) await rm(join(folder, fileOf(other)), { force: true });
  return isNewest;
}

async function generationsIn(folder: string): Promise<number[]> {
  try {
    const names = await readdir(folder);
    return names.flatMap((name) => /^(\d{1,15})\.note$/.exec(name)?.slice(1).map(Number) ?? []);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function fileOf(generation: number): string {
  return `${generation}.note`;
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
