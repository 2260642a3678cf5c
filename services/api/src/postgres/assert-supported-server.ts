import { StartError } from './start-error.ts';

const oldestMajor = 15;

/**
 * Refuse a server that is too old, by name.
 *
 * Takes the text of `show server_version`, e.g. `16.4 (Debian 16.4-1)`.
 * Errors: StartError, also for a version that cannot be read.
 */
export function assertSupportedServer(serverVersion: string): void {
  const version = /^\d+[\w.]*/.exec(serverVersion.trim())?.[0];
  if (version === undefined) {
    throw new StartError(
      `The database server reports version ${JSON.stringify(serverVersion)}; Annals needs PostgreSQL ${oldestMajor} or later.`,
    );
  }
  if (Number.parseInt(version, 10) < oldestMajor) {
    throw new StartError(`PostgreSQL ${version} is not supported; Annals needs ${oldestMajor} or later.`);
  }
}
