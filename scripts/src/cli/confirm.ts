import { ExitError } from './exit.ts';
import type { Io, Terminal } from './terminal.ts';
import { visible } from './text.ts';

export interface Confirmation {
  /** What must be typed: the name of what is about to change. */
  readonly expected: string;
  /** `--confirm`, where it was given. */
  readonly given: string | undefined;
  readonly question: string;
}

/** Go on only when the name was given or is typed now; else throws `declined`, and nothing was changed. */
export async function confirmByName(
  terminal: Terminal,
  { expected, given, question }: Confirmation,
  { stdin, stderr }: Pick<Io, 'stdin' | 'stderr'>,
): Promise<void> {
  if (given !== undefined) {
    if (given === expected) return;
    throw new ExitError(
      'declined',
      `--confirm names ${visible(given)}, but this is about ${visible(expected)}`,
    );
  }
  if (!terminal.interactive) {
    throw new ExitError(
      'declined',
      `nobody can be asked here: confirm with --confirm ${JSON.stringify(expected)}`,
    );
  }
  const { isCancel, text } = await import('@clack/prompts');
  const typed = await text({
    message: `${question} Type ${visible(expected)} to go on:`,
    input: stdin,
    output: stderr,
  });
  if (isCancel(typed) || typed !== expected)
    throw new ExitError('declined', 'not confirmed; nothing was changed');
}
