import { setTimeout as delay } from 'node:timers/promises';
import type { Annals } from '@annals/client';
import { isOurs, serialOf } from './serials.ts';
import { codeOf, countFailure, type Failures } from './server-of.ts';

/** A filter as it is asked for, and as a condition on the table that says what it must tell. */
export interface TailSpec {
  readonly query: string;
  readonly condition: string;
  /** From the beginning of the log, so that it comes from behind. */
  readonly late?: true;
}

/** Selective ones, as people's are; two read the same, and one begins when much is there. */
export const tailSpecs: readonly TailSpec[] = [
  { query: 'severity:>=error', condition: `severity >= 'error'` },
  { query: 'severity:>=error', condition: `severity >= 'error'` },
  { query: 'action:invoice.deleted', condition: `action = 'invoice.deleted'` },
  { query: 'actor:usr_3 outcome:failure', condition: `actor_id = 'usr_3' and outcome = 'failure'` },
  { query: 'outcome:failure', condition: `outcome = 'failure'`, late: true },
];

export interface Told {
  /** The numbers of the activities, in the order in which they were told. */
  readonly serials: number[];
  readonly failures: Failures;
  /** How often the subscriber went on behind its cursor in a new stream. */
  readonly resumed: number;
}

export interface Tails {
  /** Read until the log's first so many entries have been passed. */
  readTo(size: number): Promise<Told[]>;
}

export interface TailRun {
  readonly annals: Annals;
  readonly lateAfterMs: number;
  /** How long a subscriber stays before it leaves, and comes back behind its cursor. */
  readonly stayMs: number;
}

export function startTails(run: TailRun): Tails {
  const goal: Goal = { size: Number.POSITIVE_INFINITY, told: new AbortController() };
  const tails = tailSpecs.map((spec) => follow(spec, { run, goal }));
  return {
    readTo: async (size) => {
      goal.size = size;
      // Who has told that much already would wait for more.
      goal.told.abort();
      return Promise.all(tails);
    },
  };
}

interface Goal {
  size: number;
  readonly told: AbortController;
}

interface Following {
  readonly run: TailRun;
  readonly goal: Goal;
}

async function follow(spec: TailSpec, { run, goal }: Following): Promise<Told> {
  const serials: number[] = [];
  const failures: Failures = {};
  let [cursor, resumed] = ['1.0', 0];
  if (spec.late) await delay(run.lateAfterMs);
  while (indexOf(cursor) < goal.size) {
    const stay = AbortSignal.timeout(Math.round(run.stayMs * (0.5 + Math.random())));
    const { signal: told } = goal.told;
    const leaving = told.aborted ? stay : AbortSignal.any([stay, told]);
    try {
      const tail = run.annals.tail(spec.query, { from: 'start', cursor, signal: leaving });
      for await (const event of tail.events()) {
        for (const { id } of event.activities) if (isOurs(id)) serials.push(serialOf(id));
        ({ cursor } = event);
        if (indexOf(cursor) >= goal.size) break;
      }
    } catch (error) {
      if (!leaving.aborted) countFailure(failures, codeOf(error));
    }
    resumed += 1;
  }
  return { serials, failures, resumed };
}

function indexOf(cursor: string): number {
  return Number(cursor.split('.')[1]);
}
