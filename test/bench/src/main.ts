import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { describeMachine } from './machine.ts';
import { type BenchDatabase, openDatabase } from './open-database.ts';
import { renderTable } from './report.ts';
import type { Row } from './row.ts';
import type { SuiteOptions } from './suite.ts';
import { suites } from './suites/index.ts';

const usage = `bench [${Object.keys(suites).join(' | ')}]... [--quick] [--records N] [--seconds S] [--rounds N] [--json FILE] [--against DATABASE_URL]`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      records: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      against: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(suites);
  const unknown = names.find((name) => !Object.hasOwn(suites, name));
  if (values.help || unknown !== undefined) {
    process.stderr.write(`${unknown === undefined ? '' : `There is no ${unknown}.\n`}${usage}\n`);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  let opened: BenchDatabase | undefined;
  const database = async () => values.against ?? (opened ??= await openDatabase()).url;
  const options: SuiteOptions = {
    rounds: Number(values.rounds ?? (values.quick ? 2 : 3)),
    seconds: Number(values.seconds ?? (values.quick ? 1 : 5)),
    records: Number(values.records ?? (values.quick ? 50_000 : 1_000_000)),
    database,
  };
  try {
    const rows: Row[] = [];
    for (const name of names) {
      process.stderr.write(`${name}\n`);
      rows.push(...(await suites[name as keyof typeof suites](options)));
    }
    const machine = { ...describeMachine(), ...(opened && { postgres: await versionOf(opened.url) }) };
    process.stdout.write(renderTable(rows, machine));
    if (values.json !== undefined) {
      await writeFile(values.json, `${JSON.stringify({ machine, at: new Date(), rows }, null, 2)}\n`);
    }
  } finally {
    await opened?.close();
  }
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
