import { CommanderError } from 'commander';
import { describeError } from './errors.ts';
import { type ExitName, exitCodes } from './exit.ts';
import { createProgram } from './program.ts';
import { createRunner } from './session.ts';
import type { Io } from './terminal.ts';

/** Run one command line, as `['list', '--query', 'actor:alice']`; returns the exit code and never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exit: ExitName = 'ok';
  const program = createProgram(
    createRunner(io, (ended) => {
      exit = ended;
    }),
  );
  // A reader that went away, as `head` does, is no failure; a full disk is.
  io.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    exit = 'failure';
    io.stderr.write(`annals: standard output cannot be written: ${error.message}\n`);
  });
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    // Commander has written its own message; help and version are no failures.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage.code;
    const failure = describeError(error);
    exit = failure.exit;
    const json = (program.opts() as { output?: string }).output !== 'human';
    io.stderr.write(`${json ? JSON.stringify(failure.event) : `annals: ${failure.message}`}\n`);
  }
  await flushed(io.stdout);
  return exitCodes[exit].code;
}

// What was written last may fail yet; `error` is told by then.
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write('', () => setImmediate(resolve));
  });
}
