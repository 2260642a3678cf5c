import type { Transport } from '../transport.ts';
import type { ExitName } from './exit.ts';
import { resolveTarget } from './settings.ts';
import { createTerminal, type Io, type OutputMode, type Terminal } from './terminal.ts';

/** The options that every command takes. */
export interface GlobalOptions {
  readonly url?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly tenant?: string | undefined;
  readonly output: OutputMode;
  readonly quiet?: boolean | undefined;
  readonly input: boolean;
}

/** What a command works with. */
export interface Session {
  readonly io: Io;
  readonly terminal: Terminal;
  /** Opened on first use, closed when the command has ended. */
  readonly connect: () => Promise<Transport>;
}

export type Work = (session: Session) => Promise<ExitName | void>;

/** Runs a command's work with its options, and keeps how it ended. */
export type Runner = (command: { optsWithGlobals(): object }, work: Work) => Promise<void>;

export function createRunner(io: Io, onEnd: (exit: ExitName) => void): Runner {
  return async (command, work) => {
    const options = command.optsWithGlobals() as GlobalOptions;
    const terminal = createTerminal(io, {
      mode: options.output,
      quiet: options.quiet ?? false,
      input: options.input,
    });
    let transport: Promise<Transport> | undefined;
    const session: Session = {
      io,
      terminal,
      connect: () => (transport ??= connect(options, io)),
    };
    try {
      onEnd((await work(session)) ?? 'ok');
    } finally {
      const opened = await transport?.catch(() => undefined);
      await opened?.close();
    }
  };
}

// Late, since the router and its database code are only needed where there is no server.
async function connect(options: GlobalOptions, io: Io): Promise<Transport> {
  const target = await resolveTarget(options, io.env, io.cwd);
  const { openTransport } = await import('../transport.ts');
  return openTransport(target);
}
