import type { RollupCheckResult } from '@annals/contract';
import type { Command } from '@commander-js/extra-typings';
import type { Runner } from '../cli/session.ts';
import { number, table } from '../cli/text.ts';

export function addCheck(program: Command, run: Runner): void {
  const check = program.command('check').description('Compare what is derived from the activities with them');
  check
    .command('rollups')
    .description('The counts that stats are answered from, day by day')
    .option('--repair', 'count anew what differs')
    .action(({ repair = false }, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const found: Omit<RollupCheckResult, 'next'> = { days: 0, differing: [], orphans: 0 };
        for (let from: string | undefined; ; ) {
          const part = await client.rollups.check({ repair, ...(from !== undefined && { from }) });
          found.days += part.days;
          found.differing.push(...part.differing);
          found.orphans += part.orphans;
          from = part.next;
          if (from === undefined) break;
          terminal.note(`Checked ${number(found.days)} days, up to ${from}.`);
        }
        terminal.result({ ...found, repaired: repair }, () => describe(found, repair));
        const differs = found.differing.length > 0 || found.orphans > 0;
        return differs && !repair ? 'unverified' : 'ok';
      }),
    );
}

function describe({ days, differing, orphans }: Omit<RollupCheckResult, 'next'>, repair: boolean): string {
  if (differing.length === 0 && orphans === 0) {
    return `The counts of ${number(days)} days are those of the activities.`;
  }
  const lines = [
    ...(differing.length > 0
      ? [
          table(differing, [
            { title: 'day', cell: ({ day }) => day },
            { title: 'counts that differ', align: 'right', cell: ({ counts }) => number(counts) },
          ]),
        ]
      : []),
    ...(orphans > 0 ? [`${number(orphans)} values are kept that nothing is counted by.`] : []),
    repair ? 'They have been repaired.' : 'Give --repair to count these days anew.',
  ];
  return lines.join('\n');
}
