import { type Job, limits } from '@annals/contract';
import type { Command } from '@commander-js/extra-typings';
import type { Runner } from '../cli/session.ts';
import { formatTime, number, table } from '../cli/text.ts';
import { describeJob, followJob } from './follow-job.ts';
import { limitOption } from './shared.ts';

export function addJobs(program: Command, run: Runner): void {
  const jobs = program.command('jobs').description('The runs of erasures and purges');
  jobs
    .command('list')
    .description('The newest jobs')
    .addOption(limitOption(20, limits.pageSizeMax))
    .action(({ limit }, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const list = await client.jobs.list({ limit });
        terminal.result(list, () => (list.length === 0 ? 'No jobs.' : jobsTable(list)));
      }),
    );
  jobs
    .command('get')
    .description('One job')
    .argument('<job>')
    .action((id, _options, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const job = await client.jobs.get(id);
        terminal.result(job, () => describeJob(job));
      }),
    );
  jobs
    .command('watch')
    .description('Follow a job until it ends')
    .argument('<job>')
    .action((id, _options, command) =>
      run(command, async (session) => {
        const { client } = await session.connect();
        return followJob(session, await client.jobs.get(id), (job) => job);
      }),
    );
  jobs
    .command('cancel')
    .description('Stop a job after the chunk in hand, for good; what it has done stays done')
    .argument('<job>')
    .action((id, _options, command) =>
      run(command, async ({ terminal, connect }) => {
        const { client } = await connect();
        const job = await client.jobs.cancel(id);
        terminal.result(job, () => describeJob(job));
      }),
    );
  jobs
    .command('resume')
    .description('Go on with a failed or interrupted job from its last chunk, and follow it')
    .argument('<job>')
    .action((id, _options, command) =>
      run(command, async (session) => {
        const { client } = await session.connect();
        return followJob(session, await client.jobs.resume(id), (job) => job);
      }),
    );
}

function jobsTable(jobs: readonly Job[]): string {
  return table(jobs, [
    { title: 'job', cell: ({ id }) => id },
    { title: 'kind', cell: ({ kind }) => kind },
    { title: 'status', cell: ({ status }) => status },
    { title: 'done', align: 'right', cell: ({ done, total }) => `${number(done)} of ${number(total)}` },
    { title: 'created', cell: ({ createdAt }) => formatTime(createdAt) },
    { title: 'ended', cell: ({ endedAt }) => endedAt && formatTime(endedAt) },
  ]);
}
