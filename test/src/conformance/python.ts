import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const script = resolve(import.meta.dirname, '../../conformance/verify.py');
const run = promisify(execFile);

/** Whether the second verifier can run on this machine. */
export async function hasPython(): Promise<boolean> {
  try {
    await run('python3', ['-c', 'import sys; assert sys.version_info >= (3, 10)']);
    return true;
  } catch {
    return false;
  }
}

/** The files of one case; paths. */
export interface BatchCase {
  readonly bundle?: string;
  readonly certificate?: string;
  readonly policy: string;
  readonly oldCheckpoints?: readonly string[];
  readonly receipts?: string | undefined;
  /** An ISO time. */
  readonly now: string;
}

/** What the second verifier says of a case. */
export interface PythonVerdict {
  readonly exit: number;
  readonly verdict?: string;
  /** Why a file cannot be used. */
  readonly what?: string;
  readonly counts?: Readonly<Record<string, number>>;
  readonly findings?: readonly {
    readonly code: string;
    readonly epoch?: number;
    readonly index?: number;
    readonly what: string;
  }[];
}

/** Verify all cases in one process, which takes as long to start as a bundle takes to verify. */
export async function verifyInPython(dir: string, cases: readonly BatchCase[]): Promise<PythonVerdict[]> {
  const batch = join(dir, 'batch.ndjson');
  await writeFile(batch, cases.map((each) => `${JSON.stringify(each)}\n`).join(''));
  const { stdout } = await run('python3', ['-B', script, '--batch', batch], { maxBuffer: 1 << 28 });
  const verdicts = stdout.trimEnd().split('\n');
  return verdicts.map((line) => JSON.parse(line) as PythonVerdict);
}

/** Run the script as a person would. */
export async function runPython(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run('python3', ['-B', script, ...args])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}
