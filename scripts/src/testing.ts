import { PassThrough } from 'node:stream';
import { openAnnals } from '@annals/server';
import { createTestDatabase, type TestDatabase } from '@annals/testkit';
import { runCli } from './cli/run-cli.ts';
import type { Io } from './cli/terminal.ts';

/** What one command line wrote, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestCli {
  readonly databaseUrl: string;
  /** Run a command line without a server, in the tenant `t1`; `stdin` is what it can read, `typed` what a person types. */
  run(args: readonly string[], options?: { stdin?: string; typed?: string; cwd?: string }): Promise<Ran>;
  /** Standard output read as JSON lines. */
  lines(args: readonly string[]): Promise<unknown[]>;
  close(): Promise<void>;
}

const template = {
  name: 'annals_scripts',
  create: async (url: string) => {
    const annals = await openAnnals({ database: { url }, migrate: true });
    await annals.close();
  },
};

/** For tests: a database with the tenant `t1`, and the commands on it. */
export async function openTestCli(): Promise<TestCli> {
  const database: TestDatabase = await createTestDatabase({ template });
  const run: TestCli['run'] = async (args, { stdin = '', typed, cwd = '/' } = {}) => {
    const io = fakeIo({ stdin, typed, cwd });
    const code = await runCli(['--database-url', database.url, '--tenant', 't1', ...args], io.io);
    return { code, stdout: io.stdout(), stderr: io.stderr() };
  };
  const { code, stderr } = await run(['tenants', 'create', 't1']);
  if (code !== 0) throw new Error(stderr);
  return {
    databaseUrl: database.url,
    run,
    lines: async (args) => {
      const ran = await run([...args, '--output', 'ndjson', '--quiet']);
      if (ran.code !== 0) throw new Error(ran.stderr);
      return ran.stdout
        .split('\n')
        .filter(Boolean)
        .map((line): unknown => JSON.parse(line));
    },
    close: () => database.drop(),
  };
}

/** Streams that are kept; a terminal where somebody types. */
export function fakeIo({
  stdin = '',
  typed,
  cwd = '/',
  env = {},
}: {
  stdin?: string | undefined;
  typed?: string | undefined;
  cwd?: string;
  env?: Io['env'];
}) {
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined, setRawMode: () => input });
  input.write(typed ?? stdin);
  if (typed === undefined) input.end();
  const output = collect(false);
  const errors = collect(typed !== undefined);
  return {
    io: { stdin: input, stdout: output.stream, stderr: errors.stream, env, cwd } as unknown as Io,
    stdout: () => output.text(),
    stderr: () => errors.text(),
  };
}

function collect(isTTY: boolean) {
  const chunks: Buffer[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}
