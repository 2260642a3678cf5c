import { readFile, writeFile } from 'node:fs/promises';
import type { Machine } from './machine.ts';
import type { Row } from './row.ts';

/** What a run of the benchmark leaves behind, as `--json` writes it. */
export interface Result {
  readonly machine: Machine;
  /** ISO 8601. */
  readonly at: string;
  readonly rows: readonly Row[];
  /** What is not a figure of its own: errors by code, and the like. */
  readonly details?: object | undefined;
}

export async function writeResult(file: string, result: Result): Promise<void> {
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
}

/** Errors: where the file is none that `writeResult` wrote. */
export async function readResult(file: string): Promise<Result> {
  const result = JSON.parse(await readFile(file, 'utf8')) as Partial<Result> | null;
  if (!result?.machine || !result.at || !Array.isArray(result.rows)) {
    throw new Error(`${file} is not what --json writes`);
  }
  return result as Result;
}
