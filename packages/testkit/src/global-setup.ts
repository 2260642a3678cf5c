import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of the maintenance database of this run's throwaway cluster. */
    annalsTestClusterUrl: string;
  }
}

/**
 * Start one throwaway PostgreSQL cluster for the whole run and provide its superuser URL to the tests.
 *
 * A keeper process owns the cluster: it stops and deletes it as soon as its channel to this process
 * closes, whichever way this process ends (normally, by Ctrl-C, by SIGKILL).
 *
 * `ANNALS_TEST_POSTGRES_URL`, a superuser URL, takes another cluster instead, to test another version of
 * PostgreSQL: it should be a throwaway too, since the template database stays in it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['ANNALS_TEST_POSTGRES_URL'];
  if (given) {
    project.provide('annalsTestClusterUrl', given);
    return () => Promise.resolve();
  }
  const keeper = startKeeper();
  project.provide('annalsTestClusterUrl', await firstMessage(keeper));
  return async () => {
    const exited = once(keeper, 'exit');
    keeper.disconnect();
    await exited;
  };
}

// Detached: Ctrl-C signals the terminal's whole process group, and the keeper has to outlive that.
function startKeeper(): ChildProcess {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const file = fileURLToPath(new URL(`./cluster-keeper.${extension}`, import.meta.url));
  return fork(file, { detached: true, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

async function firstMessage(keeper: ChildProcess): Promise<string> {
  const [message] = await Promise.race([
    once(keeper, 'message'),
    once(keeper, 'exit').then(() => {
      throw new Error('the throwaway PostgreSQL cluster did not start; the reason is printed above');
    }),
  ]);
  return String(message);
}
