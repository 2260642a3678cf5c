import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type ExitName, UsageError } from '../cli/exit.ts';
import { createProgress } from '../cli/progress.ts';
import type { Runner, Session } from '../cli/session.ts';
import { describeReport } from '../verify/describe-report.ts';
import { readBundleFile } from '../verify/open-bundle.ts';
import { readCheckpointFile, readReceiptFile, readText } from '../verify/read-files.ts';
import { renderHtml } from '../verify/render-html.ts';
import { verifyBundleFile } from '../verify/verify-bundle-file.ts';
import { verifyCertificateFile } from '../verify/verify-certificate.ts';
import { repeated, wholeNumber } from './shared.ts';

/** `annals verify`: everything it needs is in files, nothing is asked of a server. */
export function addVerify(program: Command, run: Runner): void {
  program
    .command('verify')
    .description(
      'Check an audit bundle or a certificate with the keys that you trust; no network, no database',
    )
    .argument('[bundle]', 'what annals export --bundle wrote, gzip or not; - for standard input')
    .requiredOption('--policy <file>', 'the logs and witnesses that you trust (C2SP tlog-policy)')
    .option('--certificate <file>', 'what annals certificate wrote, in place of a bundle')
    .option('--old-checkpoint <file>', 'a checkpoint that you kept; repeatable', repeated)
    .option('--receipts <file>', 'what the log promised, a JSON line each')
    .option('--html <file>', 'write the report as a page, too')
    .addOption(
      new Option('--now <time>', 'the time to judge by, as 2027-01-31T00:00:00Z; else now').argParser(toTime),
    )
    .addOption(new Option('--threads <count>', 'cores to use; else all').argParser(wholeNumber(256)))
    .action((bundle, options, command) =>
      run(command, (session) => {
        if (bundle !== undefined && options.certificate === undefined) {
          return verifyBundle(session, { ...options, bundle });
        }
        if (bundle === undefined && options.certificate !== undefined) {
          return verifyCertificate(session, { ...options, certificate: options.certificate });
        }
        throw new UsageError('give either a bundle or --certificate');
      }),
    );
}

interface Options {
  readonly policy: string;
  readonly oldCheckpoint?: string[] | undefined;
  readonly receipts?: string | undefined;
  readonly html?: string | undefined;
  readonly now?: Date | undefined;
  readonly threads?: number | undefined;
}

const exits = { valid: 'ok', invalid: 'unverified', pending: 'pending' } as const;

async function verifyBundle(
  { terminal, io }: Session,
  { bundle, ...options }: Options & { readonly bundle: string },
): Promise<ExitName> {
  const { oldCheckpoint = [], receipts, html } = options;
  const policy = await readText('--policy', options.policy);
  const heldCheckpoints = await Promise.all(oldCheckpoint.map(readCheckpointFile));
  const receiptList = receipts === undefined ? undefined : await readReceiptFile(receipts);
  const progress = createProgress(terminal, { label: 'verify', unit: 'records', stderr: io.stderr });
  const report = await verifyBundleFile({
    chunks: readBundleFile(bundle, io.stdin),
    policy,
    heldCheckpoints,
    receipts: receiptList,
    now: options.now ?? new Date(),
    threads: options.threads ?? availableParallelism(),
    onChecked: (done) => progress.update({ done }),
  }).finally(() => progress.end());
  if (html !== undefined) await writeFile(html, renderHtml({ report, name: bundle }), { mode: 0o600 });
  terminal.result(report, () => describeReport(report));
  return exits[report.verdict];
}

async function verifyCertificate(
  { terminal }: Session,
  { certificate, policy, now = new Date(), ...others }: Options & { readonly certificate: string },
): Promise<ExitName> {
  const unused = (['oldCheckpoint', 'receipts', 'html', 'threads'] as const).find(
    (name) => others[name] !== undefined,
  );
  if (unused !== undefined) throw new UsageError('--certificate goes with --policy and --now only');
  const { report, exit, text } = verifyCertificateFile({
    certificate: await readText('--certificate', certificate),
    policy: await readText('--policy', policy),
    now,
  });
  terminal.result(report, () => text);
  return exit;
}

function toTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime()) && /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(text)) return time;
  throw new InvalidArgumentError('It must be a time with its zone, as 2027-01-31T00:00:00Z.');
}
