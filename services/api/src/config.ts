import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';

/** Settings are wrong; the message lists every one of them, with what to write instead. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One sentence per wrong setting, in the order of the settings table. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'a setting is' : `${problems.length} settings are`;
    super([`Annals cannot start: ${count} wrong.`, ...problems.map((problem) => `  ${problem}`)].join('\n'));
    this.problems = problems;
  }
}

interface SettingDoc {
  /** As written in the environment; absent where unset means "none". */
  readonly default?: string;
  readonly description: string;
  readonly example: string;
  /** Never repeat the value in a message: it may hold a password. */
  readonly secret?: true;
}

const docs = z.registry<SettingDoc>();

const isHost = (text: string) => isIP(text) !== 0 || /^[A-Za-z0-9._-]+$/.test(text);

const wholeNumber = (min: number, max: number) => {
  const problem = `must be a whole number from ${min} to ${max}`;
  const inRange = (text: string) => /^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max;
  return z.string().refine(inRange, problem).transform(Number);
};

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

const urlOf = (protocols: readonly string[], problem: string) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ''), problem);

const postgresUrl = () => urlOf(['postgres:', 'postgresql:'], 'must be a postgresql:// URL');

/** The one table of settings: what is validated here is what docs/configuration.md lists. */
const environment = z.object({
  ANNALS_HOST: z
    .string()
    .refine(isHost, 'must be a host name or an IP address, without a port')
    .register(docs, {
      default: '127.0.0.1',
      description: 'Address to listen on. `0.0.0.0` or `::` listens on every interface.',
      example: '0.0.0.0',
    }),
  ANNALS_PORT: wholeNumber(0, 65_535).register(docs, {
    default: '4983',
    description: 'Port to listen on; `0` takes any free one.',
    example: '8080',
  }),
  ANNALS_PUBLIC_URL: urlOf(['http:', 'https:'], 'must be an http:// or https:// URL')
    .optional()
    .register(docs, {
      description:
        'Address under which others reach this server, where a proxy stands in front; it is what gets printed.',
      example: 'https://annals.example.com',
      secret: true,
    }),
  ANNALS_DATA_DIR: z.string().register(docs, {
    default: '.annals',
    description: 'Directory of the embedded database, generated secrets and `dev.json`.',
    example: '/var/lib/annals',
  }),
  DATABASE_URL: postgresUrl()
    .optional()
    .register(docs, {
      description:
        'PostgreSQL 15 or later to use instead of the embedded one, as a superuser or the owner of the database. ' +
        'With this alone, the three roles are taken by `SET ROLE`.',
      example: 'postgresql://annals:secret@db.example.com:5432/annals',
      secret: true,
    }),
  ANNALS_DATABASE_URL_OWNER: postgresUrl().optional().register(docs, {
    description:
      'Login of the role that migrates. Set all three logins or none; they take precedence over `DATABASE_URL`.',
    example: 'postgresql://annals_owner:secret@db.example.com:5432/annals',
    secret: true,
  }),
  ANNALS_DATABASE_URL_APP: postgresUrl().optional().register(docs, {
    description: 'Login of the role that appends and reads.',
    example: 'postgresql://annals_app:secret@db.example.com:5432/annals',
    secret: true,
  }),
  ANNALS_DATABASE_URL_CUSTODIAN: postgresUrl().optional().register(docs, {
    description: 'Login of the role that erases and purges.',
    example: 'postgresql://annals_custodian:secret@db.example.com:5432/annals',
    secret: true,
  }),
  ANNALS_PROCESSES: wholeNumber(1, 64)
    .optional()
    .register(docs, {
      description:
        'Processes that serve, beside the first one, which then only runs jobs, orders and signs the logs. ' +
        'Unset, `1`, in which that process serves too; with `NODE_ENV=production` one for each core, at most 4.',
      example: '2',
    }),
  ANNALS_DATABASE_POOL_MAX: wholeNumber(2, 200)
    .optional()
    .register(docs, {
      description:
        'Most connections of each role to the database, shared equally by all processes of this server, at least 2 for each; ' +
        'reads take at most three quarters of them at once. Unset, `10`, or with several processes `20`.',
      example: '40',
    }),
  ANNALS_READ_TIMEOUT_MS: wholeNumber(1, 3_600_000).register(docs, {
    default: '30000',
    description: 'Milliseconds after which a read is given up.',
    example: '10000',
  }),
  ANNALS_WORKER: oneOf(['inline', 'off', 'only']).register(docs, {
    default: 'inline',
    description:
      'Where jobs run: `inline` in this process, `off` in another one, `only` runs jobs and serves no HTTP.',
    example: 'off',
  }),
  ANNALS_MANIFEST_HOURS: wholeNumber(0, 36).register(docs, {
    default: '24',
    description:
      'For how many hours erasures gather in one list before it is sealed in the log, so that a list does not become an index of one person; `0` seals at the end of each run. An audit within that time ends as pending. At most `36`: verification takes what is not sealed 48 hours after its request for tampering.',
    example: '12',
  }),
  ANNALS_SIGNER: oneOf(['inline', 'off']).register(docs, {
    default: 'inline',
    description:
      'Whether this process signs the logs, or stands by to; `off` where others do, who alone have the directory.',
    example: 'off',
  }),
  ANNALS_SIGNER_DIR: z.string().optional().register(docs, {
    description:
      "The signer's keys and its memory of what it signed (docs/signing.md); unset, `signer` in `ANNALS_DATA_DIR`. Best on another disk or machine than the database.",
    example: '/var/lib/annals-signer',
  }),
  ANNALS_LOG_NAME: z
    .string()
    .regex(/^[A-Za-z0-9._:-]+$/, 'must be a name as annals.example.com, without a /')
    .max(128, 'must be at most 128 characters')
    .optional()
    .register(docs, {
      description:
        'What the logs of this deployment are called, for good, when the first key is made; unset, the host of `ANNALS_PUBLIC_URL`, else a made-up name.',
      example: 'annals.example.com',
    }),
  ANNALS_WITNESS_POLICY: z.string().optional().register(docs, {
    description:
      'A C2SP policy file; the witnesses in it that have a URL are asked to cosign each checkpoint.',
    example: '/etc/annals/witnesses.policy',
  }),
  ANNALS_TLOG_PUBLIC: oneOf(['0', '1']).register(docs, {
    default: '0',
    description:
      'Whether the logs at `/tlog` are served without a key. They hold commitments, ids and times of receipt; anybody then sees how much which tenant records, and when.',
    example: '1',
  }),
  ANNALS_LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).register(docs, {
    default: 'info',
    description: 'Least severe level that is logged.',
    example: 'debug',
  }),
  ANNALS_DEMO: oneOf(['0', '1']).register(docs, {
    default: '1',
    description: 'Whether the first start fills the tenant `demo`; `0` skips it.',
    example: '0',
  }),
});

export interface Setting extends SettingDoc {
  readonly name: string;
  readonly schema: z.ZodType;
}

/** Every setting in the order in which the documentation lists them. */
export const settings: readonly Setting[] = Object.entries(environment.shape).map(([name, schema]) => ({
  name,
  schema,
  description: '',
  example: '',
  ...docs.get(schema),
}));

// Read by the client and the maintenance commands; harmless in the environment of the server.
const clientSettings = ['ANNALS_URL', 'ANNALS_API_KEY', 'ANNALS_TENANT'];

type Environment = z.output<typeof environment>;

export type DatabaseConfig =
  | { readonly mode: 'embedded' }
  | { readonly mode: 'url'; readonly url: string }
  | { readonly mode: 'urls'; readonly owner: string; readonly app: string; readonly custodian: string };

export interface Config {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly publicUrl: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  readonly database: DatabaseConfig;
  /** That serve; with more than one, the first process does not. */
  readonly processes: number;
  /** Of each role, in each process. */
  readonly databasePoolMax: number;
  readonly readTimeoutMs: number;
  readonly manifestIntervalMs: number;
  readonly worker: Environment['ANNALS_WORKER'];
  readonly signer: {
    readonly mode: Environment['ANNALS_SIGNER'];
    /** Absolute. */
    readonly dir: string;
    readonly logName: string | undefined;
    /** Absolute. */
    readonly witnessPolicy: string | undefined;
  };
  /** Serve the logs of tenants without a key. */
  readonly tlogPublic: boolean;
  readonly logLevel: Environment['ANNALS_LOG_LEVEL'];
  readonly demo: boolean;
}

/**
 * Validate the environment once, before anything else happens.
 *
 * An empty value counts as unset. Variables that do not start with `ANNALS_` are ignored, save `DATABASE_URL`.
 * Errors: ConfigError naming every bad setting, its problem and an example; URLs are never repeated.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(settings.map(({ name, ...doc }) => [name, env[name] || doc.default]));
  const parsed = environment.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) =>
      describeProblem(String(issue.path[0]), env, issue.message),
    ),
    ...combinationProblems(env),
    ...(parsed.success ? shareProblems(parsed.data) : []),
    ...unknownNames(env),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const values = parsed.data;
  const processes = processesOf(values, env['NODE_ENV']);
  return {
    host: values.ANNALS_HOST,
    port: values.ANNALS_PORT,
    publicUrl: values.ANNALS_PUBLIC_URL,
    dataDir: resolve(values.ANNALS_DATA_DIR),
    database: databaseOf(values),
    processes,
    databasePoolMax: poolShare(values, processes),
    readTimeoutMs: values.ANNALS_READ_TIMEOUT_MS,
    manifestIntervalMs: values.ANNALS_MANIFEST_HOURS * 3_600_000,
    worker: values.ANNALS_WORKER,
    signer: {
      mode: values.ANNALS_SIGNER,
      dir: resolve(values.ANNALS_SIGNER_DIR ?? join(values.ANNALS_DATA_DIR, 'signer')),
      logName: values.ANNALS_LOG_NAME,
      witnessPolicy: values.ANNALS_WITNESS_POLICY && resolve(values.ANNALS_WITNESS_POLICY),
    },
    tlogPublic: values.ANNALS_TLOG_PUBLIC === '1',
    logLevel: values.ANNALS_LOG_LEVEL,
    demo: values.ANNALS_DEMO === '1',
  };
}

/** The settings as a Markdown table, for docs/configuration.md. */
export function renderSettingsTable(): string {
  const rows = settings.map(({ name, description, example, ...doc }) => {
    const shown = doc.default === undefined ? 'none' : `\`${doc.default}\``;
    return `| \`${name}\` | ${shown} | ${description} | \`${example}\` |`;
  });
  return ['| setting | default | meaning | example |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function databaseOf(values: Environment): DatabaseConfig {
  const { ANNALS_DATABASE_URL_OWNER: owner, ANNALS_DATABASE_URL_APP: app } = values;
  const custodian = values.ANNALS_DATABASE_URL_CUSTODIAN;
  if (owner && app && custodian) return { mode: 'urls', owner, app, custodian };
  return values.DATABASE_URL ? { mode: 'url', url: values.DATABASE_URL } : { mode: 'embedded' };
}

/** The database needs as much processor time as what serves: more would wait for it, and for its connections. */
const processesByDefaultMax = 4;
const poolShareMin = 2;

function processesOf(values: Environment, mode: string | undefined): number {
  if (values.ANNALS_WORKER === 'only') return 1;
  if (values.ANNALS_PROCESSES !== undefined) return values.ANNALS_PROCESSES;
  if (mode !== 'production') return 1;
  const sharers = Math.floor((values.ANNALS_DATABASE_POOL_MAX ?? poolMax.several) / poolShareMin);
  const processes = Math.min(availableParallelism(), processesByDefaultMax, sharers - 1);
  return Math.max(1, processes);
}

const poolMax = { one: 10, several: 20 };

/** With several processes, the first one has a share too: it orders, signs and runs jobs. */
function poolShare({ ANNALS_DATABASE_POOL_MAX: given }: Environment, processes: number): number {
  if (processes === 1) return given ?? poolMax.one;
  return Math.floor((given ?? poolMax.several) / (processes + 1));
}

function describeProblem(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  problem: string,
): string {
  const setting = settings.find((candidate) => candidate.name === name);
  const value = setting?.secret ? '' : ` is ${JSON.stringify((env[name] ?? '').slice(0, 60))}, but`;
  return `${name}${value} ${problem}. Example: ${name}=${setting?.example}`;
}

function combinationProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  const logins = settings.filter(({ name }) => name.startsWith('ANNALS_DATABASE_URL_'));
  const missing = logins.filter(({ name }) => !env[name]);
  const problems: string[] = [];
  if (missing.length > 0 && missing.length < logins.length) {
    for (const { name, example } of missing) {
      problems.push(`${name} is missing: set all three logins or none. Example: ${name}=${example}`);
    }
  }
  if (env['ANNALS_WORKER'] === 'only' && !env['DATABASE_URL'] && missing.length === logins.length) {
    const { example } = settings.find(({ name }) => name === 'DATABASE_URL') ?? {};
    // The embedded database belongs to the one process that started it.
    problems.push(`DATABASE_URL is missing: ANNALS_WORKER=only needs it. Example: DATABASE_URL=${example}`);
  }
  return problems;
}

function shareProblems(values: Environment): string[] {
  const processes = processesOf(values, undefined);
  if (poolShare(values, processes) >= poolShareMin) return [];
  const least = (processes + 1) * poolShareMin;
  const name = 'ANNALS_DATABASE_POOL_MAX';
  return [
    `${name} must be at least ${least} for ${processes} processes and the first one. Example: ${name}=${least}`,
  ];
}

// A typo must not silently leave a setting at its default.
function unknownNames(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...settings.map(({ name }) => name), ...clientSettings];
  const unknown = Object.keys(env).filter((name) => name.startsWith('ANNALS_') && !known.includes(name));
  return unknown.toSorted().map((name) => {
    const [nearest] = known
      .map((candidate) => ({
        candidate,
        distance: editDistance(withoutPrefix(name), withoutPrefix(candidate)),
      }))
      .toSorted((a, b) => a.distance - b.distance);
    const near = nearest !== undefined && nearest.distance <= 3;
    return `${name} is not a setting.${near ? ` Did you mean ${nearest.candidate}?` : ' docs/configuration.md lists them all.'}`;
  });
}

const withoutPrefix = (name: string) => name.replace(/^ANNALS_/, '');

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
