import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { runMigrations as migrateJobQueue } from 'graphile-worker';
import { Client, Pool } from 'pg';
import { entities } from '../entities.ts';
import { Schema0001 } from '../migrations/0001-schema.ts';
import { roles, takeRole } from './roles.ts';
import { wholeUrl } from './whole-url.ts';

export interface RoleLogin {
  readonly role: keyof typeof roles;
  readonly password: string;
}

/**
 * Create what is missing of the three roles and of the schema, as a role that may create roles.
 *
 * `logins` gives roles a login of their own; without, they are taken by SET ROLE. Roles belong to the
 * whole cluster and several databases may be provisioned at once, so an existing role is no error.
 */
export async function provision(adminUrl: string, logins: readonly RoleLogin[] = []): Promise<void> {
  const client = new Client({ connectionString: adminUrl, application_name: 'annals provision' });
  await client.connect();
  try {
    // One at a time over all databases of the cluster would need a shared lock; duplicates are caught instead.
    for (const role of Object.values(roles)) {
      await client.query(
        `do $$ begin create role ${role} nologin; exception when duplicate_object or unique_violation then null; end $$`,
      );
    }
    for (const { role, password } of logins) {
      await client.query(`alter role ${roles[role]} login password ${client.escapeLiteral(password)}`);
    }
    await grantSelf(client);
    const { rows } = await client.query<{ name: string }>('select current_database() as name');
    const database = client.escapeIdentifier(rows[0]?.name ?? '');
    await client.query(`grant connect, create, temporary on database ${database} to ${roles.owner}`);
    await client.query(`grant connect on database ${database} to ${roles.app}, ${roles.custodian}`);
    await client.query(`create schema if not exists annals authorization ${roles.owner}`);
  } finally {
    await client.end();
  }
}

/** A superuser may take any role; anybody else must be a member. */
async function grantSelf(client: Client): Promise<void> {
  const { rows } = await client.query<{ super: boolean }>(
    'select rolsuper as super from pg_roles where rolname = current_user',
  );
  if (rows[0]?.super) return;
  for (const role of Object.values(roles)) await client.query(`grant ${role} to current_user`);
}

/** Every migration, oldest first. Appended to, never edited, once released. */
export const migrations = [{ name: '0001-schema', class: Schema0001 }];

/** A MikroORM that acts as the owner: for migrations and for the test that schema and entities agree. */
export async function openOwner(ownerUrl: string): Promise<MikroORM> {
  return MikroORM.init({
    entities,
    clientUrl: ownerUrl,
    schema: 'annals',
    extensions: [Migrator],
    pool: { min: 0, max: 1 },
    allowGlobalContext: false,
    migrations: { migrationsList: migrations, snapshot: false, tableName: 'migration', transactional: true },
    logger: () => undefined,
    // The job queue migrates its own schema.
    schemaGenerator: { ignoreTriggers: true, ignoreRoutines: true, ignoreSchema: ['graphile_worker'] },
    driverOptions: {
      ...wholeUrl(ownerUrl),
      application_name: 'annals migrate',
      onConnect: takeRole(roles.owner),
    },
    debug: false,
  });
}

/** Bring the schema and the job queue's own to this version; the only way to a schema, in tests too. */
export async function migrate(ownerUrl: string): Promise<void> {
  const orm = await openOwner(ownerUrl);
  try {
    await orm.migrator.up();
  } finally {
    await orm.close();
  }
  await migrateQueue(ownerUrl);
}

async function migrateQueue(ownerUrl: string): Promise<void> {
  const pool = new Pool({ connectionString: ownerUrl, max: 1, onConnect: takeRole(roles.owner) });
  try {
    // A dropped connection fails the query in hand; without listeners it would end the process besides.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    await migrateJobQueue({ pgPool: pool });
    for (const statement of queueGrants) await pool.query(statement);
  } finally {
    await pool.end();
  }
}

/** The queue's tables have row-level security without policies, which shuts everybody out but their owner. */
const queueGrants = [
  `grant usage on schema graphile_worker to ${roles.app}`,
  `grant select, insert, update, delete on all tables in schema graphile_worker to ${roles.app}`,
  `grant usage, select on all sequences in schema graphile_worker to ${roles.app}`,
  `grant execute on all functions in schema graphile_worker to ${roles.app}`,
  `do $$
    declare name text;
    begin
      for name in select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'graphile_worker' and c.relrowsecurity
      loop
        execute format('drop policy if exists annals_queue on graphile_worker.%I', name);
        execute format('create policy annals_queue on graphile_worker.%I to ${roles.app} using (true)', name);
      end loop;
    end $$`,
];
