import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

export interface DatabaseTemplate {
  /** One name per content, e.g. `core`: letters, digits and underscores, at most 40. */
  readonly name: string;
  /**
   * Fills the empty template database; runs once per test run, whoever comes first. Roles belong to the
   * whole cluster, so creating one must tolerate that it exists. Must close its connections.
   */
  readonly create: (superuserUrl: string) => Promise<void>;
}

export interface TestDatabase {
  /** Superuser URL of this clone. */
  readonly url: string;
  readonly name: string;
  /** Drop the clone, ending whatever is still connected to it. */
  drop(): Promise<void>;
}

/**
 * A database of its own, cloned from a template that is built once per test run.
 *
 * Only inside vitest with `@annals/testkit/global-setup`. About 20 ms once the template stands.
 * Errors: whatever the template's `create` throws; the template is then built anew by the next caller.
 */
export async function createTestDatabase({
  template,
}: {
  template: DatabaseTemplate;
}): Promise<TestDatabase> {
  if (!/^[a-z0-9_]{1,40}$/.test(template.name)) {
    throw new Error(`template name ${JSON.stringify(template.name)} must match ^[a-z0-9_]{1,40}$`);
  }
  const templateName = `template_${template.name}`;
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onMaintenanceDatabase(async (client) => {
    await ensureTemplate(client, templateName, template);
    // A file copy of a small database is several times faster than writing it through the WAL.
    await client.query(`create database ${name} template ${templateName} strategy file_copy`);
  });
  return {
    url: urlOf(name),
    name,
    drop: () =>
      onMaintenanceDatabase(async (client) => {
        await client.query(`drop database if exists ${name} with (force)`);
      }),
  };
}

// `datistemplate` is the mark of a finished template; a database without it was left by a failed attempt.
async function ensureTemplate(
  client: Client,
  templateName: string,
  template: DatabaseTemplate,
): Promise<void> {
  const finished = async () => {
    const found = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [
      templateName,
    ]);
    return found.rowCount === 1;
  };
  if (await finished()) return;
  await client.query('select pg_advisory_lock(hashtext($1))', [templateName]);
  try {
    if (await finished()) return;
    await client.query(`drop database if exists ${templateName} with (force)`);
    await client.query(`create database ${templateName} template template0`);
    await template.create(urlOf(templateName));
    // Nobody may be connected to a database while it is cloned.
    await client.query(`alter database ${templateName} with allow_connections false`);
    await client.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1', [
      templateName,
    ]);
    await client.query(`alter database ${templateName} with is_template true`);
  } finally {
    await client.query('select pg_advisory_unlock(hashtext($1))', [templateName]);
  }
}

async function onMaintenanceDatabase(work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: inject('annalsTestClusterUrl') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(inject('annalsTestClusterUrl'));
  url.pathname = `/${database}`;
  return url.href;
}
