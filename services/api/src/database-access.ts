import { type DatabaseAccess, provision, roles } from '@annals/core';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { generatePassword, readSecrets, startEmbeddedPostgres, writeSecrets } from './postgres/index.ts';

export interface OpenedDatabase {
  readonly access: DatabaseAccess;
  /** The connection of the job queue. */
  readonly queue: { readonly connectionString: string; readonly setRole: boolean };
  readonly embedded: boolean;
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  readonly log: Logger;
  /** Called when an embedded server ends by itself. */
  readonly onFailed: (sentence: string) => void;
}

/**
 * The database that the settings name, or the embedded one with a login of its own for each role.
 *
 * Errors  StartError when the embedded one cannot start.
 */
export async function openDatabaseAccess(
  { database, dataDir }: Config,
  { log, onFailed }: OpenDatabaseOptions,
): Promise<OpenedDatabase> {
  if (database.mode === 'url') {
    const { url } = database;
    const queue = { connectionString: url, setRole: true };
    return { access: { url }, queue, embedded: false, close: () => Promise.resolve() };
  }
  if (database.mode === 'urls') {
    const queue = { connectionString: database.app, setRole: false };
    return { access: database, queue, embedded: false, close: () => Promise.resolve() };
  }
  const server = await startEmbeddedPostgres({ dataDir, log, onUnexpectedExit: onFailed });
  try {
    const access = await loginsOf(server.url, dataDir);
    const queue = { connectionString: access.app, setRole: false };
    return { access, queue, embedded: true, close: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

type Role = keyof typeof roles;
const roleNames = Object.keys(roles) as Role[];

/** Passwords are generated once and kept; setting them again at each start heals a lost secrets file. */
async function loginsOf(superuserUrl: string, dataDir: string): Promise<Record<Role, string>> {
  const known = await readSecrets(dataDir);
  const passwords = Object.fromEntries(
    roleNames.map((role) => [role, known[roles[role]] ?? generatePassword()]),
  ) as Record<Role, string>;
  await provision(
    superuserUrl,
    roleNames.map((role) => ({ role, password: passwords[role] })),
  );
  if (roleNames.some((role) => known[roles[role]] === undefined)) {
    await writeSecrets(dataDir, Object.fromEntries(roleNames.map((role) => [roles[role], passwords[role]])));
  }
  const login = (role: Role) => {
    const url = new URL(superuserUrl);
    url.username = roles[role];
    url.password = passwords[role];
    return url.href;
  };
  return { owner: login('owner'), app: login('app'), custodian: login('custodian') };
}
