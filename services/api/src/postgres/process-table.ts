import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';

/**
 * A text that tells a live process from every other that ever had its number; undefined if none lives.
 *
 * A number alone proves nothing: after a crash it may belong to something else, and in a container the
 * next start often gets the very same one. A zombie counts as dead.
 */
export function processMarker(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined;
  try {
    return platform() === 'linux' ? linuxMarker(pid) : processField(pid, 'lstart');
  } catch {
    // Gone in the meantime, or a system without `ps`: the number is then all there is.
    return isAlive(pid) ? 'alive' : undefined;
  }
}

/** The command line of a live process, its arguments joined by spaces; undefined when it cannot be read. */
export function commandLine(pid: number): string | undefined {
  try {
    if (platform() !== 'linux') return processField(pid, 'command');
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

// proc(5): the fields after the command, which stands in parentheses and may contain some itself.
function linuxMarker(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${startTicks}`;
}

function processField(pid: number, field: 'lstart' | 'command'): string | undefined {
  const output = execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  return output.trim() || undefined;
}
