import { readFile } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../cli/exit.ts';
import type { Runner } from '../cli/session.ts';
import { verifyCertificateFile } from '../verify/verify-certificate.ts';

/** `annals verify`: everything it needs is in files, nothing is asked of a server. */
export function addVerify(program: Command, run: Runner): void {
  program
    .command('verify')
    .description('Check a certificate with the keys that you trust; no network, no database')
    .requiredOption('--certificate <file>', 'what annals certificate wrote')
    .requiredOption('--policy <file>', 'the logs and witnesses that you trust (C2SP tlog-policy)')
    .action(({ certificate, policy }, command) =>
      run(command, async ({ terminal }) => {
        const { report, exit, text } = verifyCertificateFile({
          certificate: await readText('--certificate', certificate),
          policy: await readText('--policy', policy),
          now: new Date(),
        });
        terminal.result(report, () => text);
        return exit;
      }),
    );
}

async function readText(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : 'cannot be read'}`, {
      cause: error,
    });
  }
}
