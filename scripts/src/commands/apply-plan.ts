import type { Job, Plan } from '@annals/contract';
import { confirmByName } from '../cli/confirm.ts';
import type { ExitName } from '../cli/exit.ts';
import type { Session } from '../cli/session.ts';
import { count, formatDuration, formatTime, number, table, visible } from '../cli/text.ts';
import { followJob } from './follow-job.ts';

/** The options of every command that erases or purges. */
export interface ApplyOptions {
  readonly apply?: true | undefined;
  readonly confirm?: string | undefined;
  readonly resume?: string | undefined;
}

export interface Destructive {
  readonly options: ApplyOptions;
  /** What is about to happen, as `Every trace of the person is erased.` */
  readonly question: string;
  readonly plan: () => Promise<Plan>;
  readonly apply: (planId: string) => Promise<Job>;
}

/**
 * Show what would happen and stop; with `--apply`, once confirmed by name, do it and follow it to its end.
 * With `--resume <job>` go on with an earlier run instead.
 */
export async function planOrApply(session: Session, destructive: Destructive): Promise<ExitName> {
  const { options } = destructive;
  const { terminal } = session;
  if (options.resume !== undefined) {
    const { client } = await session.connect();
    const job = await client.jobs.resume(options.resume);
    return followJob(session, job, (ended) => ({ job: ended }));
  }
  const plan = await destructive.plan();
  if (!options.apply) {
    terminal.result(terminal.mode === 'human' ? plan : { plan }, () => describePlan(plan));
    terminal.note('Nothing was changed. To do it, run the same command with --apply.');
    return 'ok';
  }
  if (terminal.mode === 'human') terminal.note(describePlan(plan));
  else terminal.event({ event: 'plan', plan });
  if (plan.activities === 0) {
    terminal.result({ plan }, () => 'There is nothing to do.');
    return 'ok';
  }
  await confirmByName(
    terminal,
    { expected: plan.confirm, given: options.confirm, question: destructive.question },
    session.io,
  );
  const job = await destructive.apply(plan.id);
  return followJob(session, job, (ended) => ({ plan, job: ended }));
}

/** A plan for an operator to judge before applying it. */
export function describePlan(plan: Plan): string {
  const months = plan.byMonth.map(({ name }) => name);
  const span = months.length === 0 ? '' : `, ${months[0]} to ${months.at(-1)}`;
  const goes = plan.kind === 'retention' ? 'would go' : 'would change';
  return [
    `Plan ${plan.id}: ${plan.kind} in tenant ${visible(plan.tenantId)}`,
    `  ${count(plan.activities, 'activity', 'activities')} ${goes}${span}; about ${formatDuration(plan.estimatedSeconds)}`,
    ...(plan.held > 0 ? [heldLine(plan)] : []),
    ...section('by policy', plan.byPolicy),
    ...section('by field', plan.byField),
    ...section('by month', plan.byMonth),
    ...(plan.partitionsDropped.length > 0
      ? [`  whole partitions dropped: ${plan.partitionsDropped.join(', ')}`]
      : []),
    ...(plan.identifiers.length > 0 ? ['', indent(identifiersTable(plan))] : []),
    ...(plan.sampleIds.length > 0 ? ['', `  for example: ${plan.sampleIds.slice(0, 5).join(', ')}`] : []),
    '',
    `  It can be applied until ${formatTime(plan.expiresAt)}; the name to confirm is ${visible(plan.confirm)}`,
  ].join('\n');
}

function heldLine({ held, holds }: Plan): string {
  const by = holds.map(({ id, name, activities }) => `\n    ${visible(name)} (${id}): ${number(activities)}`);
  return `  ${count(held, 'activity is', 'activities are')} held and would stay:${by.join('')}`;
}

const skippedTexts = {
  short: 'not searched for in texts: too short',
  shared: 'not searched for: labels others too (--identifier does)',
  excepted: 'not searched for: excepted',
} as const;

function identifiersTable({ identifiers }: Plan): string {
  return table(identifiers, [
    { title: 'searched for', cell: ({ value }) => value },
    { title: 'origin', cell: ({ origin }) => origin },
    {
      title: 'activities',
      align: 'right',
      cell: ({ activities, skipped }) => (skipped ? undefined : String(activities)),
    },
    { title: '', cell: ({ skipped }) => (skipped ? skippedTexts[skipped] : '') },
  ]);
}

function section(
  title: string,
  counts: readonly { readonly name: string; readonly count: number }[],
): string[] {
  if (counts.length === 0) return [];
  const rows = table(counts, [
    { title, cell: ({ name }) => name },
    { title: 'activities', align: 'right', cell: (row) => String(row.count) },
  ]);
  return ['', indent(rows)];
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}
