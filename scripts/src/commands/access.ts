import { type ApiKey, scopes, type Tenant } from '@annals/contract';
import { type Command, Option } from '@commander-js/extra-typings';
import { UsageError } from '../cli/exit.ts';
import type { Runner } from '../cli/session.ts';
import { formatTime, table } from '../cli/text.ts';
import { listed } from './shared.ts';

export function addKeys(program: Command, run: Runner): void {
  const keys = program.command('keys').description('API keys');
  keys
    .command('list')
    .description('The keys, revoked ones too, by their prefix')
    .action((_options, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const list = await client.keys.list();
        terminal.result(list, () => (list.length === 0 ? 'No keys.' : keysTable(list)));
      }),
    );
  keys
    .command('create')
    .description('Make a key; its secret is shown this once')
    .argument('<name>', 'what the key is for')
    .addOption(
      new Option('-s, --scopes <list>', `with commas or repeatable: ${scopes.join(', ')}`)
        .argParser(listed)
        .makeOptionMandatory(),
    )
    .option('--expires-at <time>', 'ISO 8601 with its zone, as 2027-01-31T00:00:00Z')
    .action((name, { scopes: wanted, expiresAt }, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const made = await client.keys.create({
          name,
          scopes: wanted.map(toScope),
          ...(expiresAt !== undefined && { expiresAt: toMoment(expiresAt) }),
        });
        terminal.result(made, () => made.secret);
        terminal.note(`Key ${made.key.prefix} was made. Keep its secret now: it is not shown again.`);
      }),
    );
  keys
    .command('revoke')
    .description('End a key at once')
    .argument('<id>', 'the 16 characters after annals_ in its prefix, or the prefix')
    .action((id, _options, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const key = await client.keys.revoke(id.replace(/^annals_/, ''));
        terminal.result(key, () => keysTable([key]));
      }),
    );
}

export function addTenants(program: Command, run: Runner): void {
  const tenants = program.command('tenants').description('The tenants of the deployment');
  tenants
    .command('list')
    .description('The tenants that the key may name')
    .action((_options, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const list = await client.tenants.list();
        terminal.result(list, () => (list.length === 0 ? 'No tenants.' : tenantsTable(list)));
      }),
    );
  tenants
    .command('create')
    .description("Make a tenant; for a deployment's key")
    .argument('<id>')
    .option('--name <name>', 'as people know it')
    .action((id, { name }, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const tenant = await client.tenants.create({ id, ...(name !== undefined && { name }) });
        terminal.result(tenant, () => tenantsTable([tenant]));
      }),
    );
}

function toScope(text: string): ApiKey['scopes'][number] {
  const scope = scopes.find((known) => known === text);
  if (scope === undefined) throw new UsageError(`--scopes: ${text} is none of ${scopes.join(', ')}`);
  return scope;
}

function toMoment(text: string): Date {
  const moment = new Date(text);
  if (/(?:Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(moment.getTime())) return moment;
  throw new UsageError(`--expires-at: ${text} is no time with its zone, as 2027-01-31T00:00:00Z`);
}

function keysTable(keys: readonly ApiKey[]): string {
  return table(keys, [
    { title: 'key', cell: ({ prefix }) => prefix },
    { title: 'name', cell: ({ name }) => name },
    { title: 'tenant', cell: ({ tenantId }) => tenantId ?? '(deployment)' },
    { title: 'scopes', cell: (key) => key.scopes.join(' ') },
    { title: 'created', cell: ({ createdAt }) => formatTime(createdAt) },
    { title: 'expires', cell: ({ expiresAt }) => expiresAt && formatTime(expiresAt) },
    { title: 'revoked', cell: ({ revokedAt }) => revokedAt && formatTime(revokedAt) },
  ]);
}

function tenantsTable(tenants: readonly Tenant[]): string {
  return table(tenants, [
    { title: 'tenant', cell: ({ id }) => id },
    { title: 'name', cell: ({ name }) => name },
    { title: 'created', cell: ({ createdAt }) => formatTime(createdAt) },
  ]);
}
