import { resolve } from 'node:path';
import type { OpenedAnnals, StoredKey } from '@annals/server';
import { formatPolicy, formatVerifierKey, type VerifierKey, verifierKey } from '@annals/tlog';
import { type Command, Option } from '@commander-js/extra-typings';
import { confirmByName } from '../cli/confirm.ts';
import { type ExitName, UsageError } from '../cli/exit.ts';
import type { GlobalOptions, Runner, Session } from '../cli/session.ts';
import { resolveTarget } from '../cli/settings.ts';
import type { Io } from '../cli/terminal.ts';
import { table } from '../cli/text.ts';
import { confirmOption } from './destructive-options.ts';
import { wholeNumber } from './shared.ts';

export function addLogKey(program: Command, run: Runner): void {
  const keys = program.command('log-key').description('The keys that sign the logs; docs/signing.md');
  keys
    .command('create')
    .description('Make the first key; a server does so by itself')
    .addOption(directoryOption())
    .option('--name <name>', 'what the logs are called, for good; else ANNALS_LOG_NAME')
    .option('--replaces <vkey>', 'of a key that was lost: its logs go on with the new one')
    .action((options, command) =>
      run(command, async ({ io, terminal }) => {
        const { createLogKey } = await import('@annals/server');
        const logName = options.name ?? io.env['ANNALS_LOG_NAME'];
        if (!logName) throw new UsageError('name the logs with --name or ANNALS_LOG_NAME');
        const dir = directoryOf(options, io);
        const key = await createLogKey({ dir, logName, replaces: options.replaces });
        showKeys({ terminal }, [key]);
        terminal.note(`The key lies in ${dir}. Back that directory up, apart from the database.`);
      }),
    );
  keys
    .command('rotate')
    .description('Add a key; both sign from when each log says so, without a restart')
    .addOption(directoryOption())
    .action((options, command) =>
      run(command, async ({ io, terminal }) => {
        const { rotateLogKey } = await import('@annals/server');
        showKeys({ terminal }, [await rotateLogKey(directoryOf(options, io))]);
        terminal.note(
          'Give the new policy (annals log-key show --policy) to all who verify, then retire the old key.',
        );
      }),
    );
  keys
    .command('retire')
    .description('End the use of a key; its secret is removed, its public half stays')
    .argument('<number>', 'as `annals log-key show` lists it', wholeNumber())
    .addOption(directoryOption())
    .option('--force', 'although some logs are not signed by another key yet')
    .action((keyNumber, options, command) =>
      run(command, async ({ io, terminal }) => {
        const { retireLogKey } = await import('@annals/server');
        const { force } = options;
        showKeys({ terminal }, [
          await retireLogKey({ dir: directoryOf(options, io), number: keyNumber, force }),
        ]);
      }),
    );
  addShow(keys, run);
  addNewEpoch(keys, run);
}

function addShow(keys: Command, run: Runner): void {
  keys
    .command('show')
    .description('The public keys; with --tenant as that log signs, with --policy as a policy file')
    .addOption(directoryOption())
    .option('--policy', 'a C2SP policy file for who verifies the log of --tenant; retired keys included')
    .option('--active-only', 'no retired keys, as when one was stolen')
    .action((options, command) =>
      run(command, async ({ io, terminal }) => {
        const { logOrigin, readStoredKeys } = await import('@annals/server');
        const { tenant = io.env['ANNALS_TENANT'] } = command.optsWithGlobals() as unknown as GlobalOptions;
        const stored = await readStoredKeys(directoryOf(options, io));
        const shown = stored.filter(({ status }) => status === 'active' || options.activeOnly !== true);
        const named = shown.map(({ key, ...rest }) => {
          const name = tenant ? logOrigin({ logName: key.name, tenantId: tenant, epoch: 1 }) : key.name;
          return { ...rest, key: verifierKey({ ...key, name }) };
        });
        if (options.policy !== true) return showKeys({ terminal }, named);
        if (!tenant) throw new UsageError('a policy is for one log: name it with --tenant');
        if (named.length === 0) throw new UsageError('there is no key yet');
        terminal.result({ policy: policyOf(named) }, () => policyOf(named).trimEnd());
      }),
    );
}

/** One line for each key of the log; later epochs are signed by the same keys under names that follow from its own. */
function policyOf(keys: readonly { readonly key: VerifierKey }[]): string {
  return formatPolicy({ logs: keys.map(({ key }) => ({ key })), witnesses: [], quorum: { kind: 'none' } });
}

function addNewEpoch(keys: Command, run: Runner): void {
  keys
    .command('new-epoch')
    .description('After a restore: list the logs that lost signed entries, or let one go on in a new epoch')
    .addOption(directoryOption())
    .option('--open <tenant>', 'the log to go on with')
    .addOption(confirmOption("the tenant's id"))
    .action((options, command) =>
      run(command, async (session) => {
        const dir = directoryOf(options, session.io);
        const annals = await openDatabase(session.io, command.optsWithGlobals() as unknown as GlobalOptions);
        try {
          if (options.open === undefined) return await listRefused(session, annals, dir);
          await confirmByName(
            session.terminal,
            {
              expected: options.open,
              given: options.confirm,
              question: 'Entries that were signed are given up for good.',
            },
            session.io,
          );
          return await openEpoch(session, annals, { dir, tenantId: options.open });
        } finally {
          await annals.close();
        }
      }),
    );
}

async function listRefused(
  { terminal }: Session,
  annals: OpenedAnnals,
  dir: string,
): Promise<ExitName | undefined> {
  const refused = await annals.refusedLogs(dir);
  terminal.result(refused, () =>
    refused.length === 0
      ? 'Every log extends what was signed.'
      : table(refused, [
          { title: 'tenant', cell: ({ tenantId }) => tenantId },
          { title: 'not signed, since', cell: ({ reason }) => reason },
        ]),
  );
  return refused.length === 0 ? undefined : 'unverified';
}

async function openEpoch(
  { terminal }: Session,
  annals: OpenedAnnals,
  { dir, tenantId }: { readonly dir: string; readonly tenantId: string },
): Promise<undefined> {
  const { operatorPrincipal } = await import('@annals/server');
  const { operatorName } = await import('../transport.ts');
  const principal = operatorPrincipal({ name: operatorName() });
  const opened = await annals.openEpoch({ dir, tenantId, principal });
  const { epoch, cited, reopened } = opened;
  const before = cited ? `It cites the checkpoint of ${cited.size} entries` : 'No earlier checkpoint holds';
  terminal.result(
    opened,
    () => `Epoch ${epoch} of ${tenantId} is open. ${before}; ${reopened} activities come into it anew.`,
  );
  return undefined;
}

/** The server need not run, but its database must be there. */
async function openDatabase(io: Io, options: GlobalOptions): Promise<OpenedAnnals> {
  const target = await resolveTarget(options, io.env, io.cwd);
  if (target.via !== 'database') {
    throw new UsageError('this works on the database itself: give --database-url or DATABASE_URL');
  }
  const { openAnnals } = await import('@annals/server');
  const { errorLog } = await import('../transport.ts');
  return openAnnals({ database: target.database, poolMax: 4, log: errorLog });
}

const directoryOption = () =>
  new Option('--signer-dir <folder>', "the signer's directory; else ANNALS_SIGNER_DIR, else .annals/signer");

function directoryOf({ signerDir }: { readonly signerDir?: string | undefined }, { env, cwd }: Io): string {
  const dataDir = env['ANNALS_DATA_DIR'] || '.annals';
  return resolve(cwd, signerDir || env['ANNALS_SIGNER_DIR'] || `${dataDir}/signer`);
}

function showKeys(
  { terminal }: Pick<Session, 'terminal'>,
  keys: readonly Pick<StoredKey, 'number' | 'status' | 'key'>[],
): void {
  const rows = keys.map(({ key, ...rest }) => ({ ...rest, vkey: formatVerifierKey(key) }));
  terminal.result(rows, () =>
    rows.length === 0
      ? 'No key.'
      : table(rows, [
          { title: 'key', align: 'right', cell: ({ number }) => String(number) },
          { title: 'status', cell: ({ status }) => status },
          { title: 'vkey', cell: ({ vkey }) => vkey },
        ]),
  );
}
