import { open } from 'node:fs/promises';
import { AnnalsError, type ErrorCode } from '@annals/contract';
import { type Command, Option } from '@commander-js/extra-typings';
import { describeError } from '../cli/errors.ts';
import { ExitError, type ExitName, UsageError } from '../cli/exit.ts';
import { catchInterrupt } from '../cli/interrupt.ts';
import { createProgress } from '../cli/progress.ts';
import type { Runner, Session } from '../cli/session.ts';
import { number, table, visible } from '../cli/text.ts';
import { applyMapping } from '../import/apply-mapping.ts';
import { type FormatName, formatNames, formatReader } from '../import/formats.ts';
import { type ImportResult, importFiles, type Reject, type Totals } from '../import/import-files.ts';
import { readMapping } from '../import/mapping.ts';
import { openInputs } from '../import/open-input.ts';
import type { ToActivity } from '../import/outcome.ts';

export function addImport(program: Command, run: Runner): void {
  program
    .command('import')
    .description('Store the events of NDJSON files; importing them again stores nothing')
    .argument('<files...>', 'NDJSON, gzip when the name ends in .gz, - for standard input')
    .addOption(new Option('--format <name>', 'what the lines are').choices(formatNames))
    .option('--mapping <file>', 'how the lines become activities, for any other format (docs/import.md)')
    .option('--rejects <file>', 'write refused lines there, as NDJSON with line and reason')
    .action((files, options, command) =>
      run(command, async (session) => {
        const toActivity = await readerOf(options);
        return importInto(session, { files, toActivity, rejects: options.rejects });
      }),
    );
}

async function readerOf(options: {
  readonly format?: FormatName | undefined;
  readonly mapping?: string | undefined;
}): Promise<ToActivity> {
  if ((options.format === undefined) === (options.mapping === undefined)) {
    throw new UsageError(`give --format (${formatNames.join(', ')}) or --mapping <file>`);
  }
  if (options.format !== undefined) return formatReader(options.format);
  const mapping = await readMapping(options.mapping ?? '');
  return (object) => applyMapping(mapping, object);
}

interface Import {
  readonly files: readonly string[];
  readonly toActivity: ToActivity;
  readonly rejects: string | undefined;
}

async function importInto(session: Session, { files, toActivity, rejects }: Import): Promise<ExitName> {
  const { terminal, io } = session;
  const inputs = await openInputs(files, io.stdin);
  const { client } = await session.connect();
  const rejected = rejects === undefined ? undefined : await openRejects(rejects);
  const progress = createProgress(terminal, { label: 'import', unit: 'lines', stderr: io.stderr });
  const interrupt = catchInterrupt(() => {
    progress.end();
    terminal.note('Stopping after the batches in hand.');
  });
  let shown = 0;
  const show = (reject: Reject) => {
    // Enough to see what is wrong; all of them are in the file of rejects.
    const { raw: _raw, ...event } = reject;
    if (terminal.mode !== 'human') terminal.event({ event: 'refused', ...event });
    else if (shown < refusalsShownMax) terminal.note(refusalText(reject));
    else if (shown === refusalsShownMax && !rejected)
      terminal.note('... more lines were refused: see --rejects');
    shown += 1;
  };
  try {
    const result = await importFiles({
      inputs,
      toActivity,
      log: (activities) => client.logMany(activities),
      signal: interrupt.signal,
      onProgress: (lines) => progress.update({ done: lines }),
      onReject: async (reject) => {
        progress.end();
        show(reject);
        await rejected?.write(reject);
      },
    });
    progress.end();
    return report(session, result);
  } finally {
    progress.end();
    interrupt.release();
    await rejected?.close();
  }
}

const refusalsShownMax = 10;

/** Holds raw lines, which are personal data: readable by its owner only. */
async function openRejects(file: string) {
  const unwritable = (error: unknown) =>
    new ExitError('failure', `${file} cannot be written: ${(error as Error).message}`, { cause: error });
  const handle = await open(file, 'w', 0o600).catch((error: unknown) => {
    throw unwritable(error);
  });
  return {
    write: async (reject: Reject) => {
      await handle.write(`${JSON.stringify(reject)}\n`).catch((error: unknown) => {
        throw unwritable(error);
      });
    },
    close: () => handle.close(),
  };
}

const passing: ReadonlySet<ErrorCode> = new Set(['unavailable', 'overloaded', 'timeout', 'internal']);

function report({ terminal }: Session, { files, stopped }: ImportResult): ExitName {
  const total = sum(files);
  if (terminal.mode === 'ndjson') terminal.result([...files, total], () => '');
  else terminal.result({ files, total }, () => totalsTable(files.length > 1 ? [...files, total] : files));
  for (const { file, problem } of files) if (problem !== undefined) terminal.note(`${file} ${problem}`);
  if (stopped) {
    const { file, line, cause } = stopped;
    const failure = cause === undefined ? undefined : describeError(cause);
    terminal.note(`Stopped before line ${line} of ${file}${failure ? `: ${failure.message}` : ''}`);
    // As a wrong tenant or key: the same would happen again.
    if (failure && cause instanceof AnnalsError && !passing.has(cause.code)) return failure.exit;
    terminal.note('Run the same command again to go on: what is stored counts as duplicate.');
    return 'resumable';
  }
  return total.refused > 0 || files.some(({ problem }) => problem !== undefined) ? 'failure' : 'ok';
}

function sum(files: readonly Totals[]): Totals {
  const total: Totals = { file: 'total', lines: 0, stored: 0, duplicates: 0, refused: 0 };
  for (const file of files) {
    for (const key of ['lines', 'stored', 'duplicates', 'refused'] as const) total[key] += file[key];
  }
  return total;
}

function totalsTable(files: readonly Totals[]): string {
  const counts = ['lines', 'stored', 'duplicates', 'refused'] as const;
  return table(files, [
    { title: 'file', cell: ({ file }) => file },
    ...counts.map((title) => ({ title, align: 'right' as const, cell: (row: Totals) => number(row[title]) })),
  ]);
}

function refusalText({ file, line, path, message }: Reject): string {
  return `${visible(file)}:${line} ${path === undefined ? '' : `${path}: `}${visible(message)}`;
}
