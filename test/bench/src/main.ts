import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { describeMachine } from './machine.ts';
import { type BenchDatabase, openDatabase } from './open-database.ts';
import { pictureOfCost, writeCost, writeTrend } from './pictures.ts';
import { renderTable } from './report.ts';
import { type Result, writeResult } from './result.ts';
import { soak } from './soak/soak.ts';
import { furtherSuites, suites } from './suites/index.ts';

const allSuites = { ...suites, ...furtherSuites };

const usage = `bench [${Object.keys(allSuites).join(' | ')}]... [--quick] [--records N] [--sizes N,N...] [--seconds S] [--rounds N] [--json FILE] [--svg FILE] [--against DATABASE_URL]
bench soak [--seconds S] [--kill] [--rate N | P%] [--json FILE] [--against DATABASE_URL]
bench plot FILE... --svg FILE
bench trend FILE... --svg FILE
`;

const settings = {
  quick: { type: 'boolean', default: false },
  records: { type: 'string' },
  sizes: { type: 'string' },
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  rate: { type: 'string' },
  kill: { type: 'boolean', default: false },
  json: { type: 'string' },
  svg: { type: 'string' },
  against: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof settings }>>['values'];
type Measured = Pick<Result, 'rows' | 'details'>;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: settings });
  const [command] = positionals;
  const unknown = positionals.find((name) => !Object.hasOwn(allSuites, name));
  if (values.help) process.stderr.write(usage);
  else if (command === 'soak' && positionals.length === 1)
    await measure(values, (url) => runSoak(values, url));
  else if (command === 'plot' && values.svg) await writeCost(positionals.slice(1), values.svg);
  else if (command === 'trend' && values.svg) await writeTrend(positionals.slice(1), values.svg);
  else if (unknown === undefined) await measure(values, (url) => runSuites(positionals, values, url));
  else {
    process.stderr.write(`There is no ${unknown}.\n${usage}`);
    process.exitCode = 2;
  }
}

/** On a database that is started when it is asked for, unless one is given. */
async function measure(
  values: Values,
  run: (database: () => Promise<string>) => Promise<Measured>,
): Promise<void> {
  let opening: Promise<BenchDatabase> | undefined;
  const close = async () => (await opening)?.close();
  const leave = () => {
    // What is in hand fails as the database is taken away from it; the servers go with this process.
    process.on('uncaughtException', () => undefined);
    void close().finally(() => process.exit(130));
  };
  process.once('SIGINT', leave).once('SIGTERM', leave);
  try {
    const measured = await run(async () => values.against ?? (await (opening ??= openDatabase())).url);
    const url = values.against ?? (await opening)?.url;
    const machine = { ...describeMachine(), ...(url !== undefined && { postgres: await versionOf(url) }) };
    const result: Result = { machine, at: new Date().toISOString(), ...measured };
    process.stdout.write(renderTable(result.rows, machine));
    if (values.json !== undefined) await writeResult(values.json, result);
    if (values.svg !== undefined) await writeFile(values.svg, pictureOfCost([result]));
  } finally {
    await close();
  }
}

async function runSuites(
  positionals: readonly string[],
  { quick, rounds, seconds, records, sizes, json }: Values,
  database: () => Promise<string>,
): Promise<Measured> {
  const options = {
    rounds: Number(rounds ?? (quick ? 2 : 3)),
    seconds: Number(seconds ?? (quick ? 0.3 : 5)),
    records: Number(records ?? (quick ? 20_000 : 1_000_000)),
    ...(sizes !== undefined && { sizes: sizes.split(',').map(Number) }),
    database,
  };
  const names = (positionals.length > 0 ? positionals : Object.keys(suites)) as (keyof typeof allSuites)[];
  const rows: Result['rows'][number][] = [];
  for (const name of names) {
    process.stderr.write(`${name}\n`);
    const startMs = performance.now();
    rows.push(...(await allSuites[name](options)));
    // Suites take minutes: what is measured stays, whatever befalls the next.
    if (json !== undefined) {
      await writeResult(json, { machine: describeMachine(), at: new Date().toISOString(), rows });
    }
    process.stderr.write(`  ${((performance.now() - startMs) / 1_000).toFixed(1)} s\n`);
  }
  return { rows };
}

function runSoak({ seconds = '600', kill, rate, against }: Values, database: () => Promise<string>) {
  process.stderr.write('soak\n');
  return soak({ database, owned: against === undefined, seconds: Number(seconds), kill, rate: rateOf(rate) });
}

/** `5000`: records a second; `80%`: of the peak. */
function rateOf(text: string | undefined) {
  if (text === undefined) return undefined;
  return text.endsWith('%') ? { ofPeak: Number.parseFloat(text) / 100 } : { perSecond: Number(text) };
}

async function versionOf(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}

await main();
