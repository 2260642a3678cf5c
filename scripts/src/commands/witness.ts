import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { formatVerifierKey, type SigningKey } from '@annals/tlog';
import { type Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { describeError } from '../cli/errors.ts';
import { UsageError } from '../cli/exit.ts';
import { catchInterrupt } from '../cli/interrupt.ts';
import type { Runner, Session } from '../cli/session.ts';
import type { Terminal } from '../cli/terminal.ts';
import { number, visible } from '../cli/text.ts';
import type { WitnessEvent } from '../witness/add-checkpoint.ts';
import { readPolicies } from '../witness/read-policies.ts';
import { openWitnessKey } from '../witness/witness-key.ts';
import { createWitnessServer } from '../witness/witness-server.ts';
import { openWitnessStore } from '../witness/witness-store.ts';
import { repeated } from './shared.ts';

export function addWitness(program: Command, run: Runner): void {
  program
    .command('witness')
    .description('Cosign the checkpoints of logs that others run, as long as they only grow')
    .option('--policy <file>', 'whose logs to witness; may be repeated', repeated)
    .option('--dir <folder>', 'where its key and what it has seen are kept', 'annals-witness')
    .option('--name <name>', 'the name of a new key, as a host that you own; else a random one')
    .option('--host <address>', 'where to listen, 0.0.0.0 for everywhere', '127.0.0.1')
    .option('--port <number>', 'where to listen', portNumber, 4_984)
    .option('--print-key', 'show the key, made if there is none, and end')
    .action((options, command) =>
      run(command, async (session) => {
        const dir = resolve(session.io.cwd, options.dir);
        const files = (options.policy ?? []).map((file) => resolve(session.io.cwd, file));
        if (options.printKey !== true && files.length === 0) {
          throw new UsageError('give --policy with a file that lists the logs (docs/witness.md)');
        }
        const logs = options.printKey === true ? [] : await readPolicies(files);
        const key = await openWitnessKey(dir, options.name);
        if (options.printKey === true) return showKey(session.terminal, key);
        return serve(session, { key, logs, dir, host: options.host, port: options.port });
      }),
    );
}

interface Serving {
  readonly key: SigningKey;
  readonly logs: Awaited<ReturnType<typeof readPolicies>>;
  readonly dir: string;
  readonly host: string;
  readonly port: number;
}

async function serve({ terminal }: Session, { key, logs, dir, host, port }: Serving): Promise<void> {
  const server = createWitnessServer({
    key,
    logs,
    store: openWitnessStore(dir),
    evidenceFolder: join(dir, 'evidence'),
    now: () => new Date(),
    tell: teller(terminal, () => performance.now()),
  });
  const interrupt = catchInterrupt(() => server.close());
  try {
    server.listen(port, host);
    await once(server, 'listening');
    const { address, family, port: bound } = server.address() as AddressInfo;
    const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}/`;
    const origins = [...new Set(logs.map((log) => log.key.name))];
    const verifierKey = formatVerifierKey(key);
    terminal.result({ name: key.name, verifierKey, url, dir, logs: origins }, () =>
      greeting({ key, url, dir, origins }),
    );
    await once(server, 'close');
    terminal.note('The witness has ended. What it has seen is kept; start it again with the same --dir.');
  } finally {
    interrupt.release();
  }
}

function showKey(terminal: Terminal, key: SigningKey): void {
  const verifierKey = formatVerifierKey(key);
  terminal.result({ name: key.name, verifierKey }, () => verifierKey);
}

interface Greeting {
  readonly key: SigningKey;
  readonly url: string;
  readonly dir: string;
  readonly origins: readonly string[];
}

function greeting({ key, url, dir, origins }: Greeting): string {
  return [
    `Witness ${key.name} listens on ${url} - Ctrl-C ends it`,
    `  keeps in  ${visible(dir)}`,
    ...origins.map((origin, at) => `  ${at === 0 ? 'witnesses' : '         '} ${visible(origin)}`),
    'For the policies of the log and of whoever verifies it, with the address under which the log reaches you:',
    `  witness ${key.name} ${formatVerifierKey(key)} ${url}`,
  ].join('\n');
}

/** How long nothing is told of a log that goes on as it should. */
const quietMs = 60_000;

/** Tells every refusal; of what is cosigned, once a second perhaps, one line a minute for each log. */
function teller(terminal: Terminal, nowMs: () => number): (event: WitnessEvent) => void {
  const told = new Map<string, number>();
  return (event) => {
    if (event.event === 'failed') return tellFailure(terminal, event.error);
    if (event.event === 'cosigned') {
      const now = nowMs();
      if (now - (told.get(event.origin) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
      told.set(event.origin, now);
    }
    if (terminal.mode === 'human') terminal.note(describe(event));
    else terminal.event(event);
  };
}

function tellFailure(terminal: Terminal, error: unknown): void {
  const { message } = describeError(error);
  if (terminal.mode === 'human') terminal.note(`Failed: ${message}`);
  else terminal.event({ event: 'failed', message });
}

function describe(event: Exclude<WitnessEvent, { event: 'failed' }>): string {
  const what =
    event.origin === undefined ? 'a request' : `${visible(event.origin)} at size ${number(event.size ?? 0)}`;
  if (event.event === 'cosigned') return `Cosigned ${what}`;
  const kept = event.evidence === undefined ? '' : `; kept in ${visible(event.evidence)}`;
  return `Refused ${what} (${event.status}): ${visible(event.reason)}${kept}`;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
}
