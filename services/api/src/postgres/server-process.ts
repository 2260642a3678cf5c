import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PostgresBinaries } from './binaries.ts';
import { serverName } from './leftover-server.ts';
import { commandAs, type ServerAccount } from './server-account.ts';
import { serverEnvironment } from './server-environment.ts';
import { StartError } from './start-error.ts';

export interface ServerOptions {
  readonly clusterDir: string;
  readonly binaries: PostgresBinaries;
  readonly account: ServerAccount;
  readonly log: Logger;
  /** Called once if the server ends without having been asked to. */
  readonly onUnexpectedExit?: ((message: string) => void) | undefined;
  readonly choosePort?: (() => Promise<number>) | undefined;
}

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk when this returns. */
  stop(): Promise<void>;
}

const shutdownPatienceMs = 60_000;

const serverSettings = {
  cluster_name: serverName,
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '256MB',
  timezone: 'UTC',
  // It is the only copy of real records.
  fsync: 'on',
  synchronous_commit: 'on',
  // Personal data must not reach a log: neither statements, nor their parameters, nor the details and texts
  // of their errors, which quote values. What remains is the server's own life: LOG, FATAL and PANIC.
  log_statement: 'none',
  log_min_error_statement: 'panic',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  log_error_verbosity: 'terse',
  log_min_messages: 'log',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_line_prefix: '',
};

/**
 * Start the server on a free loopback port and wait until it accepts connections.
 *
 * Errors: StartError with the server's own reason when it does not come up.
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const choosePort = options.choosePort ?? freePort;
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort();
    const started = await tryStarting(options, port);
    if ('stop' in started) return started;
    const reason = started.output.join('\n');
    // Taken by somebody between our look and the server's: try another one.
    if (/Address already in use|could not bind/.test(reason) && attempt < 10) continue;
    // The sessions of a server that was killed alone need a moment to notice.
    if (/pre-existing shared memory block/.test(reason) && attempt < 100) {
      await delay(100);
      continue;
    }
    throw new StartError(sentenceFor(options.clusterDir, started.output));
  }
}

function sentenceFor(clusterDir: string, output: readonly string[]): string {
  if (isDiskFull(output)) return diskFull(clusterDir);
  const last = output.findLast((line) => /^(FATAL|PANIC):/.test(line)) ?? output.at(-1) ?? 'no reason given';
  return `The embedded PostgreSQL in ${clusterDir} did not start: ${last.replace(/^\w+:\s+/, '').replace(/\.$/, '')}.`;
}

/** Why a server that was running has ended; `how` is its exit code or signal. */
export function endOf(clusterDir: string, how: string, output: readonly string[]): string {
  return isDiskFull(output) ? diskFull(clusterDir) : `The embedded PostgreSQL stopped unexpectedly (${how}).`;
}

const isDiskFull = (output: readonly string[]) =>
  output.some((line) => line.includes('No space left on device'));

const diskFull = (clusterDir: string) =>
  `The disk that holds the cluster ${clusterDir} is full; free some space and start again.`;

async function tryStarting(
  options: ServerOptions,
  port: number,
): Promise<ServerProcess | { output: string[] }> {
  const { child, exited } = spawnServer(options, port);
  const output: string[] = [];
  const ready = new Promise<true>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (output.push(line) > 50) output.shift();
      forward(options.log, line);
      if (line.includes('database system is ready to accept connections')) resolve(true);
    });
  });
  if ((await Promise.race([ready, exited])) !== true) return { output };
  return superviseServer({ options, child, exited, output, port });
}

function spawnServer({ clusterDir, binaries, account }: ServerOptions, port: number) {
  const settings = Object.entries(serverSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const serverArgs = ['-D', clusterDir, '-p', String(port), ...settings];
  const { file, args, options } = commandAs(account, binaries.postgres, serverArgs);
  const child = spawn(file, args, {
    ...options,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    // A process group of its own: Ctrl-C signals the whole group of the terminal, and the server has to stay
    // until this process has finished what it is doing.
    detached: true,
    windowsHide: true,
  });
  const exited = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? `code ${code}`));
  });
  // Even where nobody waits for it any more.
  exited.catch(() => undefined);
  return { child, exited };
}

interface Supervised {
  readonly options: ServerOptions;
  readonly child: ChildProcess;
  readonly exited: Promise<string>;
  /** The last lines of its log, still growing. */
  readonly output: readonly string[];
  readonly port: number;
}

function superviseServer({ options, child, exited, output, port }: Supervised): ServerProcess {
  let stopping: Promise<void> | undefined;
  // The last resort of every way out but SIGKILL: the server then shuts down by itself, behind us.
  const stopAtExit = () => void child.kill('SIGINT');
  process.once('exit', stopAtExit);
  void exited.then((how) => {
    process.off('exit', stopAtExit);
    if (stopping) return;
    const message = endOf(options.clusterDir, how, output);
    options.log.error(message);
    options.onUnexpectedExit?.(message);
  });
  const stop = () => (stopping ??= shutDown({ options, child, exited }));
  return { pid: child.pid ?? 0, port, stop };
}

async function shutDown({
  options,
  child,
  exited,
}: Pick<Supervised, 'options' | 'child' | 'exited'>): Promise<void> {
  if (process.platform === 'win32') {
    // Windows has no signals: killing there would be a crash.
    spawn(options.binaries.pg_ctl, ['stop', '-D', options.clusterDir, '-m', 'fast'], { stdio: 'ignore' });
  } else child.kill('SIGINT');
  const late = setTimeout(() => {
    options.log.warn('the embedded PostgreSQL takes long to stop; cutting its sessions off');
    child.kill('SIGQUIT');
  }, shutdownPatienceMs);
  await exited;
  clearTimeout(late);
}

// First lines only: what follows one (details, hints, statements) may quote data.
function forward(log: Logger, line: string): void {
  const [, severity, text] = /^(LOG|WARNING|FATAL|PANIC): {2}(.*)$/.exec(line) ?? [];
  if (severity === undefined) return;
  if (severity === 'LOG') log.debug({ source: 'postgres' }, text);
  else log.warn({ source: 'postgres' }, text);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
