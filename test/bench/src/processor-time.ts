import { readFile } from 'node:fs/promises';
import { Client } from 'pg';

/** As Linux counts it, on every machine: a hundredth of a second. */
const tickUs = 10_000;

interface Stat {
  readonly parent: number;
  /** With those that it started and that have ended. */
  readonly us: number;
}

/** Microseconds of processor time of a process and of all that it started; 0 where the system does not tell. */
export async function processorTimeOf(pid: number): Promise<number> {
  const stat = await statOf(pid);
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const times = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(processorTimeOf));
  return times.reduce((sum, us) => sum + us, stat?.us ?? 0);
}

/** The process of a database server on this machine that starts the others. */
export async function findPostgres(url: string): Promise<number | undefined> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const parent = (await statOf(rows[0]?.pid ?? 0))?.parent ?? 0;
    const name = await readFile(`/proc/${parent}/comm`, 'utf8').catch(() => '');
    return name.trim() === 'postgres' ? parent : undefined;
  } finally {
    await client.end();
  }
}

async function statOf(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name before them may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (!fields) return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), us: ticks * tickUs };
}
