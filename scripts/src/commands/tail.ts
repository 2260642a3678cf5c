import { once } from 'node:events';
import { type Command, Option } from '@commander-js/extra-typings';
import { catchInterrupt } from '../cli/interrupt.ts';
import type { Runner, Session } from '../cli/session.ts';
import { growingTable } from '../cli/text.ts';
import { activityColumns } from './read.ts';
import { checkQuery, queryOption } from './shared.ts';

export function addTail(program: Command, run: Runner): void {
  program
    .command('tail')
    .description('Show activities as they come into the log, until Ctrl-C')
    .addOption(queryOption())
    .addOption(
      new Option('--from <place>', 'begin with the first activity of the log, or behind its last')
        .choices(['start', 'now'] as const)
        .default('now' as const),
    )
    .option('--cursor <cursor>', 'go on where an earlier tail has ended')
    .action(({ query, from, cursor }, command) =>
      run(command, (session) =>
        follow(session, { query: checkQuery(query), ...(cursor ? { cursor } : { from }) }),
      ),
    );
}

interface Follow {
  readonly query: string | undefined;
  readonly from?: 'start' | 'now';
  readonly cursor?: string;
}

async function follow({ io, terminal, connect }: Session, { query, ...begin }: Follow): Promise<void> {
  const { client } = await connect();
  const interrupt = catchInterrupt(() => undefined);
  // Whoever reads the output can go away as well.
  const gone = new AbortController();
  const onGone = () => gone.abort();
  io.stdout.once('close', onGone).once('error', onGone);
  const signal = AbortSignal.any([interrupt.signal, gone.signal]);
  const print = growingTable(activityColumns);
  let last = begin.cursor;
  try {
    for await (const { cursor, activities } of client.tail(query, { ...begin, signal }).events()) {
      if (terminal.mode === 'human') {
        if (activities.length > 0) terminal.result(activities, () => print(activities));
      } else for (const activity of activities) terminal.result(activity, () => '');
      last = cursor;
      // As fast as it is read: what is not read yet stays at the server.
      if (io.stdout.writableNeedDrain) await once(io.stdout, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    io.stdout.off('close', onGone).off('error', onGone);
    interrupt.release();
    if (last !== undefined) terminal.note(`Go on from here with --cursor ${last}`);
  }
}
