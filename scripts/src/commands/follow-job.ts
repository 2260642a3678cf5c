import type { Job } from '@annals/contract';
import type { ExitName } from '../cli/exit.ts';
import { catchInterrupt } from '../cli/interrupt.ts';
import { createProgress } from '../cli/progress.ts';
import type { Session } from '../cli/session.ts';
import { count, number, table, visible } from '../cli/text.ts';

/**
 * Show a job's progress until it has ended, then what it did.
 *
 * The first Ctrl-C stops following, and where the job runs in this process, the job after the chunk in hand;
 * it can be resumed. The second ends the process.
 */
export async function followJob(
  session: Session,
  started: Job,
  result: (job: Job) => object,
): Promise<ExitName> {
  const { terminal, io } = session;
  const transport = await session.connect();
  const { client, jobsRunHere } = transport;
  await transport.startJobs();
  terminal.note(`Job ${started.id} (${started.kind})`);
  const progress = createProgress(terminal, { label: started.kind, unit: 'activities', stderr: io.stderr });
  const interrupt = catchInterrupt(() => {
    progress.end();
    terminal.note(jobsRunHere ? 'Stopping after the chunk in hand.' : 'No longer following the job.');
  });
  let job = started;
  try {
    for await (job of client.jobs.watch(started.id, { signal: interrupt.signal })) {
      progress.update({ done: job.done, total: job.total || undefined });
      if (interrupt.signal.aborted) break;
    }
  } catch (error) {
    if (!interrupt.signal.aborted) {
      progress.end();
      terminal.note(`The job may go on without being followed. Follow it: annals jobs watch ${job.id}`);
      throw error;
    }
  } finally {
    progress.end();
  }
  try {
    return await end(session, job, result);
  } finally {
    interrupt.release();
  }
}

async function end(session: Session, job: Job, result: (job: Job) => object): Promise<ExitName> {
  const { terminal } = session;
  const transport = await session.connect();
  if (job.status === 'queued' || job.status === 'running') {
    // Closing waits for the chunk in hand.
    await transport.close();
    terminal.note(
      transport.jobsRunHere
        ? `Stopped. Go on with: annals jobs resume ${job.id}`
        : `The job goes on at the server. Follow it: annals jobs watch ${job.id}\nStop it for good: annals jobs cancel ${job.id}`,
    );
    return 'resumable';
  }
  terminal.result(result(job), () => describeJob(job));
  if (job.status === 'failed') {
    terminal.note(`Go on from the last chunk with: annals jobs resume ${job.id}`);
    return 'resumable';
  }
  return job.status === 'completed' && (job.result?.residual?.matches ?? 0) === 0 ? 'ok' : 'failure';
}

/** A job as an operator reads it. */
export function describeJob(job: Job): string {
  const { result } = job;
  const counts = result?.counts ?? [];
  return [
    `Job ${job.id}: ${job.kind} in tenant ${visible(job.tenantId)}, ${job.status}`,
    `  ${number(job.done)} of ${count(job.total, 'activity', 'activities')} examined`,
    ...(job.error ? [`  ${job.error.code}: ${visible(job.error.message)}`] : []),
    ...(result
      ? [
          `  ${count(result.changed, 'activity', 'activities')} ${job.kind === 'retention' ? 'purged' : 'changed'}`,
        ]
      : []),
    ...(result?.held ? [`  ${count(result.held, 'activity', 'activities')} held`] : []),
    ...(result?.partitionsDropped?.length
      ? [`  partitions dropped: ${result.partitionsDropped.join(', ')}`]
      : []),
    ...(counts.length > 0 ? [countsTable(job.kind === 'retention' ? 'policy' : 'field', counts)] : []),
    ...(result?.residual ? [describeResidual(result.residual)] : []),
    ...(result?.pseudonym ? [`  pseudonym: ${visible(result.pseudonym)}`] : []),
  ].join('\n');
}

type Counts = readonly { readonly name: string; readonly count: number }[];

function countsTable(title: string, counts: Counts): string {
  const rows = table(counts, [
    { title, cell: ({ name }) => name },
    { title: 'count', align: 'right', cell: (row) => String(row.count) },
  ]);
  return rows.replaceAll(/^/gm, '  ');
}

function describeResidual({
  matches,
  places,
}: {
  readonly matches: number;
  readonly places: Counts;
}): string {
  if (matches === 0) return '  residual scan: nothing remains';
  return [`  residual scan: ${count(matches, 'match', 'matches')} remain`, countsTable('place', places)].join(
    '\n',
  );
}
