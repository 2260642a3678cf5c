import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface ProcessSeen {
  readonly pid: number;
  /** What it holds, in bytes; what it shares with others counts for each. */
  readonly resident: number;
}

const run = promisify(execFile);

/** A process and all that it has started, itself first, by `ps`; none when it is gone. */
export async function processTree(root: number): Promise<ProcessSeen[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,rss=']).catch(() => ({ stdout: '' }));
  const rows = stdout.split('\n').map((line) => {
    const [pid = 0, parent = 0, kib = 0] = line.trim().split(/\s+/).map(Number);
    return { pid, parent, resident: kib * 1_024 };
  });
  const below = (pid: number): ProcessSeen[] =>
    rows.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  const own = rows.find(({ pid }) => pid === root);
  return own ? [own, ...below(root)].map(({ pid, resident }) => ({ pid, resident })) : [];
}
