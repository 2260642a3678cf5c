import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { UsageError } from './exit.ts';

/** What the command line says about where to go; each absent where it says nothing. */
export interface TargetOptions {
  readonly url?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly tenant?: string | undefined;
}

/** Where the commands go: a server over HTTP, or the database with the router in this process. */
export type Target = { readonly tenantId?: string | undefined } & (
  | { readonly via: 'http'; readonly url: string; readonly apiKey: string }
  | { readonly via: 'database'; readonly database: DatabaseLogins }
);

/** One login that takes the three roles, or one for each. */
export type DatabaseLogins =
  | { readonly url: string }
  | { readonly owner: string; readonly app: string; readonly custodian: string };

const DevFile = z.object({ url: z.url(), apiKey: z.string(), tenantId: z.string() });
type DevFile = z.output<typeof DevFile>;

/**
 * Options win over the environment, and that over `.annals/dev.json` of this folder or one above it.
 *
 * ANNALS_URL wins over DATABASE_URL, which other programs use too. The key of dev.json goes to its own server
 * only, never to another that an option or the environment names.
 */
export async function resolveTarget(
  options: TargetOptions,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<Target> {
  if (options.url && options.databaseUrl) throw new UsageError('give --url or --database-url, not both');
  const tenantId = options.tenant || env['ANNALS_TENANT'] || undefined;
  const url = options.url || (options.databaseUrl ? undefined : env['ANNALS_URL']) || undefined;
  const database = options.databaseUrl ? { url: options.databaseUrl } : url ? undefined : loginsOf(env);
  if (database !== undefined) {
    Object.values(database).forEach(checkDatabaseUrl);
    return { via: 'database', database, tenantId };
  }
  const dev = await findDevFile(cwd);
  const apiKey = env['ANNALS_API_KEY'] || (url === undefined || url === dev?.url ? dev?.apiKey : undefined);
  const target = url ?? dev?.url;
  if (target === undefined) {
    throw new UsageError(
      'no server to go to: start one here (npx pnpm@12 start), or give --url, ANNALS_URL or --database-url',
    );
  }
  if (!URL.canParse(target) || !/^https?:$/.test(new URL(target).protocol)) {
    throw new UsageError(`the server's address must be an http or https URL, not ${target}`);
  }
  if (!apiKey) throw new UsageError(`no key for ${target}: set ANNALS_API_KEY`);
  const own = target === dev?.url && !env['ANNALS_API_KEY'] ? dev.tenantId : undefined;
  return { via: 'http', url: target, apiKey, tenantId: tenantId ?? own };
}

// As the server reads them (docs/configuration.md).
function loginsOf(env: Readonly<Record<string, string | undefined>>): DatabaseLogins | undefined {
  const owner = env['ANNALS_DATABASE_URL_OWNER'];
  const app = env['ANNALS_DATABASE_URL_APP'];
  const custodian = env['ANNALS_DATABASE_URL_CUSTODIAN'];
  if (owner && app && custodian) return { owner, app, custodian };
  if (owner || app || custodian) {
    throw new UsageError('set ANNALS_DATABASE_URL_OWNER, _APP and _CUSTODIAN, all three or none');
  }
  return env['DATABASE_URL'] ? { url: env['DATABASE_URL'] } : undefined;
}

// Its own text is not repeated: it may hold a password.
function checkDatabaseUrl(url: string): void {
  if (!/^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new UsageError(
      "the database's address must be a URL as postgresql://user:password@host:5432/database",
    );
  }
}

async function findDevFile(from: string): Promise<DevFile | undefined> {
  const file = join(from, '.annals', 'dev.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    const above = dirname(from);
    return above === from ? undefined : findDevFile(above);
  }
  try {
    return DevFile.parse(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`${file} is not as \`pnpm start\` writes it; start again, or remove it`, {
      cause: error,
    });
  }
}
