import { writeFile } from 'node:fs/promises';
import { type Certificate, formatCertificate } from '@annals/tlog';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../cli/exit.ts';
import type { Runner } from '../cli/session.ts';

/** `annals certificate <job>` */
export function addCertificate(program: Command, run: Runner): void {
  program
    .command('certificate')
    .description('The account of an erasure or purge that has ended, for annals verify --certificate')
    .argument('<job>')
    .option('-o, --out <file>', 'a new file in place of standard output')
    .action((jobId, { out }, command) =>
      run(command, async ({ io, terminal, connect }) => {
        const { client } = await connect();
        const certificate = await client.privacy.certificate(jobId);
        // The very bytes that are verified, whatever the mode of output.
        const text = formatCertificate(certificate as unknown as Certificate);
        if (out === undefined) io.stdout.write(text);
        else await write(out, text);
        terminal.note(describeState(certificate));
      }),
    );
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new UsageError(`${file} exists already; name another file`, { cause: error });
  }
}

interface State {
  readonly requested: { readonly proof?: unknown };
  readonly completed: { readonly proof?: unknown };
  readonly manifests: readonly {
    readonly sealed?: { readonly proof?: unknown } | undefined;
    readonly dueAt?: string | undefined;
  }[];
}

function describeState({ requested, completed, manifests }: State): string {
  const due = manifests
    .flatMap(({ dueAt }) => dueAt ?? [])
    .toSorted()
    .at(-1);
  if (due !== undefined) return `A list of what has gone is still open; ask again after ${due}.`;
  const records = [requested, completed, ...manifests.flatMap(({ sealed }) => sealed ?? [])];
  if (records.some(({ proof }) => proof === undefined))
    return 'Not all of it is signed yet; ask again shortly.';
  return 'Complete.';
}
