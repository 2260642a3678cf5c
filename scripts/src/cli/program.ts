import { Command, Option } from '@commander-js/extra-typings';
import { addKeys, addTenants } from '../commands/access.ts';
import { addCertificate } from '../commands/certificate.ts';
import { addCheck } from '../commands/check.ts';
import { addExitCodes } from '../commands/exit-codes.ts';
import { addExport } from '../commands/export.ts';
import { addHolds } from '../commands/holds.ts';
import { addImport } from '../commands/import.ts';
import { addJobs } from '../commands/jobs.ts';
import { addLogKey } from '../commands/log-key.ts';
import { addAnonymize, addRedact } from '../commands/privacy.ts';
import { addGet, addList, addStats } from '../commands/read.ts';
import { addRetention } from '../commands/retention.ts';
import { addTail } from '../commands/tail.ts';
import { addVerify } from '../commands/verify.ts';
import { addWitness } from '../commands/witness.ts';
import type { Runner } from './session.ts';
import { outputModes } from './terminal.ts';

/** Every command, with the options that all of them take. */
export function createProgram(run: Runner): Command {
  const program = new Command('annals')
    .description('Maintenance of an Annals server or database: import, export, erase, purge, keys')
    .option('--url <url>', 'the server; else ANNALS_URL, else that of .annals/dev.json')
    .option('--database-url <url>', 'work on this database without a server; else DATABASE_URL')
    .option('--tenant <id>', 'the tenant; else ANNALS_TENANT, else that of the key')
    .addOption(
      new Option('--output <mode>', 'how data is written').choices(outputModes).default('human' as const),
    )
    .option('--quiet', 'nothing but data and errors')
    .option('--no-input', 'never ask')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nThe API key is read from ANNALS_API_KEY, else from .annals/dev.json; it is never an option.\nCommands that erase or purge only show their plan, unless --apply is given and confirmed.',
    );
  // Widened: each command adds options of its own, and reads the global ones through its runner.
  const commands = program as unknown as Command;
  for (const add of [
    addList,
    addTail,
    addGet,
    addStats,
    addImport,
    addExport,
    addAnonymize,
    addRedact,
    addRetention,
    addHolds,
    addJobs,
    addCertificate,
    addCheck,
    addVerify,
    addKeys,
    addTenants,
    addLogKey,
    addWitness,
    addExitCodes,
  ]) {
    add(commands, run);
  }
  return commands;
}
