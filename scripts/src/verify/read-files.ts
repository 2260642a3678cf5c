import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseCheckpoint, parseNote, type Receipt, readReceipt, TlogError } from '@annals/tlog';
import { UsageError } from '../cli/exit.ts';
import { readLines } from '../import/read-lines.ts';

/** The text of a file that an option names. */
export async function readText(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unusable(option, error);
  }
}

/** The note of a checkpoint that was kept. */
export async function readCheckpointFile(file: string): Promise<string> {
  const note = await readText('--old-checkpoint', file);
  try {
    parseCheckpoint(parseNote(note).text);
    return note;
  } catch (error) {
    throw unusable(`--old-checkpoint ${file}`, error);
  }
}

/** The receipts of a file, a JSON line each. */
export async function readReceiptFile(file: string): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  try {
    for await (const line of readLines(createReadStream(file), { lineBytesMax: 65_536 })) {
      if ('problem' in line) throw new TlogError('bad_line', `line ${line.number} is too long, or not UTF-8`);
      try {
        receipts.push(readReceipt(line.text));
      } catch (error) {
        if (!(error instanceof TlogError)) throw error;
        throw new TlogError('bad_line', `line ${line.number}: ${error.message}`, { cause: error });
      }
    }
  } catch (error) {
    throw unusable('--receipts', error);
  }
  return receipts;
}

function unusable(option: string, error: unknown): UsageError {
  return new UsageError(`${option}: ${error instanceof Error ? error.message : 'cannot be read'}`, {
    cause: error,
  });
}
