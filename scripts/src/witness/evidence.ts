import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { placeFile } from './place-file.ts';

export interface Evidence {
  readonly reason: string;
  /** The checkpoint that was refused, with the log's signatures. */
  readonly refused: string;
  /** The one cosigned before. */
  readonly cosigned: string;
  readonly at: Date;
}

/** So many that no stream of requests fills the disk. */
const filesMax = 1_000;

/**
 * Keep two checkpoints of a log that may not go together; it may be what convicts the log.
 *
 * Returns the file; nothing where there are too many already.
 */
export async function keepEvidence(folder: string, evidence: Evidence): Promise<string | undefined> {
  const { refused, cosigned, reason, at } = evidence;
  // The same pair is kept once.
  const name = `${createHash('sha256').update(textOf(refused)).update(textOf(cosigned)).digest('hex')}.json`;
  const names = await readdir(folder).catch((): string[] => []);
  if (names.length >= filesMax && !names.includes(name)) return undefined;
  const text = JSON.stringify({ at: at.toISOString(), reason, refused, cosigned }, undefined, 2);
  await placeFile({ folder, name, text: `${text}\n` });
  return join(folder, name);
}

/** Without the signatures, of which each of our own bears another time. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}
