import type { Command } from '@commander-js/extra-typings';
import { exitCodes } from '../cli/exit.ts';
import type { Runner } from '../cli/session.ts';
import { table } from '../cli/text.ts';

/** `annals exit-codes`, and by commander's own help command `annals help exit-codes`. */
export function addExitCodes(program: Command, run: Runner): void {
  program
    .command('exit-codes')
    .description('What the exit codes of every command mean')
    .addHelpText('after', () => `\n${exitCodesTable()}`)
    .action((_options, command) =>
      run(command, async ({ terminal }) => terminal.result(Object.values(exitCodes), exitCodesTable)),
    );
}

export function exitCodesTable(): string {
  return table(Object.values(exitCodes), [
    { title: 'code', align: 'right', cell: ({ code }) => String(code) },
    { title: 'meaning', cell: ({ meaning }) => meaning },
  ]);
}
