import { type Hold, limits } from '@annals/contract';
import type { Command } from '@commander-js/extra-typings';
import { UsageError } from '../cli/exit.ts';
import type { Runner } from '../cli/session.ts';
import { formatTime, table } from '../cli/text.ts';
import { checkQuery, limitOption, queryOption, repeated } from './shared.ts';

export function addHolds(program: Command, run: Runner): void {
  const holds = program
    .command('holds')
    .description('Legal holds: what they match is neither erased nor purged');
  holds
    .command('list')
    .description('The active holds, then the released ones')
    .addOption(limitOption(limits.holdsMax, limits.pageSizeMax))
    .action(({ limit }, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const list = await client.holds.list({ limit });
        terminal.result(list, () => (list.length === 0 ? 'No holds.' : holdsTable(list)));
      }),
    );
  addCreate(holds, run);
  holds
    .command('release')
    .description('End a hold; what it was over is forgotten')
    .argument('<id>')
    .option('--reason <text>', 'why; kept with the hold')
    .action((id, { reason }, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const hold = await client.holds.release(id, { reason });
        terminal.result(hold, () => holdsTable([hold]));
      }),
    );
}

function addCreate(holds: Command, run: Runner): void {
  holds
    .command('create')
    .description('Hold what a query selects, or all that names a person, now and later')
    .argument('<name>', 'what it is about, as "Claim 17"; shown in plans')
    .addOption(queryOption())
    .option('--all', 'every activity of the tenant, in place of a query')
    .option('-p, --person <id>', "the person's id, as anonymize takes it (repeatable)", repeated)
    .option(
      '-i, --identifier <text>',
      'what else names the person: an e-mail address, a name (repeatable)',
      repeated,
    )
    .option(
      '--except <label>',
      'a learned label that does not name the person, as Admin (repeatable)',
      repeated,
    )
    .option('--no-learn', "do not match by the labels of the person's own records")
    .action((name, options, command) =>
      run(command, async ({ terminal, connect }) => {
        const over = whatItIsOver(options);
        const { client } = await connect();
        const hold = await client.holds.create({ name, ...over });
        terminal.result(hold, () => holdsTable([hold]));
      }),
    );
}

interface Over {
  readonly query?: string | undefined;
  readonly all?: true | undefined;
  readonly person?: string[] | undefined;
  readonly identifier?: string[] | undefined;
  readonly except?: string[] | undefined;
  readonly learn: boolean;
}

function whatItIsOver({ all, person: ids, identifier, except, learn, ...options }: Over) {
  const query = checkQuery(options.query);
  const given = [query, all, ids].filter((each) => each !== undefined);
  if (given.length !== 1) throw new UsageError('give one of --query, --all and --person');
  if (ids !== undefined) {
    return { person: { ids, identifiers: identifier ?? [], except: except ?? [], learn } };
  }
  if (identifier || except || !learn) {
    throw new UsageError('--identifier, --except and --no-learn go with --person');
  }
  return { query: query ?? '' };
}

function holdsTable(holds: readonly Hold[]): string {
  return table(holds, [
    { title: 'hold', cell: ({ id }) => id },
    { title: 'name', cell: ({ name }) => name },
    { title: 'over', cell: describeOver },
    { title: 'created', cell: ({ createdAt }) => formatTime(createdAt) },
    { title: 'by', cell: ({ createdBy }) => createdBy },
    { title: 'released', cell: ({ releasedAt }) => releasedAt && formatTime(releasedAt) },
    { title: 'reason', cell: ({ releaseReason }) => releaseReason },
  ]);
}

function describeOver({ over, query, person }: Hold): string {
  if (query !== undefined) return query === '' ? 'every activity' : query;
  if (person) return `person ${[...person.ids, ...person.identifiers].join(', ')}`;
  return `a ${over}`;
}
