import { orders } from '@annals/contract';
import { type Command, Option } from '@commander-js/extra-typings';
import { ExitError, type ExitName, UsageError } from '../cli/exit.ts';
import { catchInterrupt } from '../cli/interrupt.ts';
import { createProgress } from '../cli/progress.ts';
import type { Runner, Session } from '../cli/session.ts';
import { count } from '../cli/text.ts';
import { openOutput } from '../export/open-output.ts';
import { writeBundle } from '../export/write-bundle.ts';
import { type ExportFormat, exportFormats, writeExport } from '../export/write-export.ts';
import { checkQuery, queryOption, wholeNumber } from './shared.ts';

export function addExport(program: Command, run: Runner): void {
  program
    .command('export')
    .description('Write activities as NDJSON or CSV; that it was done is recorded')
    .addOption(queryOption())
    .addOption(
      new Option('--format <name>', 'ndjson is what import reads')
        .choices(exportFormats)
        .default('ndjson' as const),
    )
    .option('-o, --out <file>', 'a file in place of standard output, gzip when its name ends in .gz')
    .option('--bundle <file>', 'all activities with what proves them, for annals verify; gzip by .gz')
    .option('--force', 'replace the file if it exists')
    .addOption(new Option('--order <order>').choices(orders).default('oldest' as const))
    .addOption(new Option('-n, --limit <count>', 'at most so many').argParser(wholeNumber()))
    .action((options, command) =>
      run(command, (session) => {
        const { bundle } = options;
        if (bundle === undefined) return exportTo(session, options);
        checkAlone(command);
        return exportBundle(session, { bundle, force: options.force ?? false });
      }),
    );
}

/** A bundle is always the whole of a log. */
function checkAlone(command: { getOptionValueSource(name: string): string | undefined }): void {
  for (const name of ['query', 'format', 'out', 'order', 'limit']) {
    if (command.getOptionValueSource(name) !== 'cli') continue;
    throw new UsageError(`--bundle holds everything in the order of the log; it does not go with --${name}`);
  }
}

async function exportBundle(
  { terminal, io, connect }: Session,
  { bundle: file, force }: { readonly bundle: string; readonly force: boolean },
): Promise<ExitName> {
  const { client } = await connect();
  const progress = createProgress(terminal, { label: 'export', unit: 'bytes', stderr: io.stderr });
  const interrupt = catchInterrupt(() => terminal.note('Stopping.'));
  const { signal } = interrupt;
  try {
    const chunks = client.bundle({ signal });
    await writeBundle({
      chunks,
      file,
      replace: force,
      signal,
      onWritten: (done) => progress.update({ done }),
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new ExitError('interrupted', `Stopped; ${file} was not written.`, { cause: error });
  } finally {
    progress.end();
    interrupt.release();
  }
  terminal.note(`The bundle was written to ${file}.`);
  return 'ok';
}

interface ExportOptions {
  readonly query?: string | undefined;
  readonly format: ExportFormat;
  readonly out?: string | undefined;
  readonly force?: true | undefined;
  readonly order: (typeof orders)[number];
  readonly limit?: number | undefined;
}

async function exportTo(session: Session, options: ExportOptions): Promise<ExitName> {
  const { terminal, io } = session;
  const query = checkQuery(options.query);
  const { client } = await session.connect();
  const file =
    options.out === undefined
      ? undefined
      : await openOutput(options.out, { replace: options.force ?? false });
  const progress = createProgress(terminal, { label: 'export', unit: 'activities', stderr: io.stderr });
  const interrupt = catchInterrupt(() => terminal.note('Stopping.'));
  let written = 0;
  try {
    const activities = client.export(query, { order: options.order });
    await writeExport({
      activities,
      format: options.format,
      gzip: options.out?.endsWith('.gz') ?? false,
      to: file?.stream ?? io.stdout,
      end: file !== undefined,
      limit: options.limit,
      signal: interrupt.signal,
      onWritten: (activities) => {
        written = activities;
        progress.update({ done: activities });
      },
    });
    await file?.commit();
  } catch (error) {
    progress.end();
    await file?.discard();
    // The reader has what it wanted, as `head` does.
    if (!file && (error as NodeJS.ErrnoException).code === 'EPIPE') return 'ok';
    const left = file
      ? `${options.out} was not written`
      : `what was written is not all: ${count(written, 'activity', 'activities')}`;
    if (interrupt.signal.aborted) throw new ExitError('interrupted', `Stopped; ${left}.`, { cause: error });
    terminal.note(`The export failed; ${left}.`);
    throw error;
  } finally {
    progress.end();
    interrupt.release();
  }
  terminal.note(
    `${count(written, 'activity', 'activities')} exported${options.out === undefined ? '' : ` to ${options.out}`}.`,
  );
  return 'ok';
}
