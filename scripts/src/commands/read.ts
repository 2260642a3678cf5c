import {
  type Activity,
  type Dimension,
  dimensions,
  intervals,
  orders,
  type StatsResult,
} from '@annals/contract';
import { type Command, Option } from '@commander-js/extra-typings';
import { UsageError } from '../cli/exit.ts';
import type { Runner } from '../cli/session.ts';
import { bar, type Column, formatTime, number, table, visible } from '../cli/text.ts';
import { checkQuery, limitOption, listed, pageSize, queryOption, wholeNumber } from './shared.ts';

export function addList(program: Command, run: Runner): void {
  program
    .command('list')
    .description('Show activities, newest first')
    .addOption(queryOption())
    .addOption(new Option('--order <order>').choices(orders).default('newest' as const))
    .addOption(limitOption(50, listMax))
    .action(({ query, order, limit }, command) =>
      run(command, async ({ terminal, connect }) => {
        const text = checkQuery(query);
        const { client } = await connect();
        const activities: Activity[] = [];
        let more = false;
        // One beyond the limit tells whether there are more.
        for await (const activity of client.list(text, {
          order,
          pageSize: Math.min(limit + 1, pageSize),
        })) {
          more = activities.length === limit;
          if (more) break;
          activities.push(activity);
        }
        terminal.result(activities, () =>
          activities.length === 0 ? 'Nothing matches.' : table(activities, activityColumns),
        );
        if (more)
          terminal.note('There are more activities: raise --limit, narrow the query, or export them.');
      }),
    );
}

export function addGet(program: Command, run: Runner): void {
  program
    .command('get')
    .description('Show one activity whole')
    .argument('<id>')
    .action((id, _options, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const activity = await client.get(id);
        terminal.result(activity, () => fieldsTable(activity));
      }),
    );
}

export function addStats(program: Command, run: Runner): void {
  program
    .command('stats')
    .description('Count activities by fields and time')
    .addOption(queryOption())
    .option('-g, --group-by <fields>', `with commas or repeatable: ${dimensions.join(', ')}`, listed)
    .addOption(new Option('-i, --interval <interval>').choices(intervals))
    .option('--time-zone <name>', 'where hours, days, weeks and months begin, as Europe/Berlin', 'UTC')
    .addOption(new Option('-n, --limit <rows>', 'at most so many').argParser(wholeNumber()))
    .action(({ query, groupBy = [], interval, timeZone, limit }, command) =>
      run(command, async ({ terminal, connect }) => {
        const fields = groupBy.map(toDimension);
        const text = checkQuery(query);
        const { client } = await connect();
        const stats = await client.stats({
          ...(text !== undefined && { query: text }),
          groupBy: fields,
          ...(interval !== undefined && { interval }),
          timeZone,
          ...(limit !== undefined && { limit }),
        });
        if (terminal.mode === 'ndjson') terminal.result(stats.rows, () => '');
        else terminal.result(stats, () => statsTable(stats, fields, timeZone));
        if (stats.estimate) {
          const since = formatTime(stats.estimate.since, timeZone);
          terminal.note(
            `There are too many: only what occurred since ${since} is counted. Narrow the query.`,
          );
        }
        if (stats.truncated) terminal.note('There are more rows: raise --limit or narrow the query.');
      }),
    );
}

function toDimension(text: string): Dimension {
  const dimension = dimensions.find((known) => known === text);
  if (dimension === undefined)
    throw new UsageError(`--group-by: ${text} is none of ${dimensions.join(', ')}`);
  return dimension;
}

/** What a line of a list shows of an activity. */
export const activityColumns: readonly Column<Activity>[] = [
  { title: 'occurred', cell: ({ occurredAt }) => formatTime(occurredAt) },
  { title: 'severity', cell: ({ severity }) => severity },
  { title: 'action', cell: ({ action }) => action },
  { title: 'outcome', cell: ({ outcome }) => outcome },
  { title: 'actor', cell: ({ actor }) => actor.label ?? actor.id ?? actor.type },
  {
    title: 'target',
    cell: ({ target }) => target && `${target.type} ${target.label ?? target.id ?? ''}`.trim(),
  },
  { title: 'id', cell: ({ id }) => id },
];

function fieldsTable(activity: Activity): string {
  const lines = flatten(activity, '');
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${visible(value)}`).join('\n');
}

function flatten(value: unknown, path: string): [string, string][] {
  if (value instanceof Date) return [[path, formatTime(value)]];
  if (typeof value !== 'object' || value === null)
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  if (Array.isArray(value)) return value.length === 0 ? [] : [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, item]) => flatten(item, path === '' ? key : `${path}.${key}`));
}

const barWidth = 24;

/** More is an export. */
const listMax = 10_000;

function statsTable({ rows }: StatsResult, fields: readonly Dimension[], timeZone: string): string {
  if (rows.length === 0) return 'Nothing matches.';
  const most = Math.max(...rows.map((row) => row.count));
  return table(rows, [
    ...(rows.some(({ from }) => from !== undefined)
      ? [
          {
            title: 'from',
            cell: (row: StatsResult['rows'][number]) => row.from && shortTime(row.from, timeZone),
          },
        ]
      : []),
    ...fields.map((field) => ({
      title: field,
      cell: ({ group }: StatsResult['rows'][number]) => group[field] ?? undefined,
    })),
    { title: 'count', align: 'right' as const, cell: (row) => number(row.count) },
    { title: '', cell: (row) => bar(row.count, most, barWidth) },
  ]);
}

// Intervals begin at full minutes.
function shortTime(date: Date, timeZone: string): string {
  return formatTime(date, timeZone).replace(':00.000', '');
}
