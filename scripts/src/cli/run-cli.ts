import { CommanderError } from 'commander';
import { describeError } from './errors.ts';
import { type ExitName, exitCodes } from './exit.ts';
import { createProgram } from './program.ts';
import { createRunner } from './session.ts';
import type { Io } from './terminal.ts';

/** Run one command line, as `['list', '--query', 'actor:alice']`; returns the exit code and never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exit: ExitName = 'ok';
  const program = createProgram(createRunner(io, (ended) => (exit = ended)));
  // What a broken pipe makes of stdout is told to whoever writes; a reader that went away is no failure.
  io.stdout.on('error', () => undefined);
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
    const json = args.some(
      (arg, index) =>
        /^(?:--output=)?(?:nd)?json$/.test(arg) && (arg.startsWith('--') || args[index - 1] === '--output'),
    );
    io.stderr.write(`${json ? JSON.stringify(failure.event) : `annals: ${failure.message}`}\n`);
  }
  return exitCodes[exit].code;
}
