import { setImmediate } from 'node:timers/promises';
import { AnnalsError } from '@annals/contract';
import type { Context } from '../context.ts';
import type { Database } from '../database/database.ts';
import type { Prepared } from './prepare.ts';
import type { Stored } from './store-new.ts';
import { type PendingCall, storeTogether } from './store-together.ts';

export interface AppendQueueOptions {
  /** How many transactions are open at once; what comes meanwhile is gathered for the next. */
  readonly atOnceMax: number;
  /** A transaction takes calls up to so many activities; a call that has more goes alone. */
  readonly activitiesMax: number;
  /** What may wait, so that a slow database does not fill the memory: of what the activities take at most as JSON. */
  readonly waitingBytesMax: number;
}

const usual: AppendQueueOptions = {
  atOnceMax: 4,
  activitiesMax: 1_000,
  waitingBytesMax: 128 * 1024 * 1024,
};

/**
 * Calls that wait for their turn to be stored. Nothing waits for others to come: a call begins at once while
 * transactions are free, and otherwise shares the next one with all that has come by then.
 */
export interface AppendQueue {
  /** Errors  `overloaded` where too much is waiting already. Ask before the work of checking a call. */
  assertRoom(): void;
  store(ctx: Context, prepared: readonly Prepared[]): Promise<Stored>;
}

const queues = new WeakMap<Database, AppendQueue>();

/** The queue of a process for a database. */
export function appendQueueOf({ db }: Pick<Context, 'db'>): AppendQueue {
  const queue = queues.get(db) ?? createAppendQueue(usual);
  queues.set(db, queue);
  return queue;
}

type Waiting = PendingCall & {
  /** What it takes at most as JSON. */
  readonly bytes: number;
};

export function createAppendQueue(options: AppendQueueOptions): AppendQueue {
  /** By tenant, in the order of their turns. */
  const waiting = new Map<string, Waiting[]>();
  let waitingBytes = 0;
  let running = 0;
  const run = async () => {
    running += 1;
    for (;;) {
      // What comes in the same turn of the event loop goes along.
      await setImmediate();
      const calls = takeCalls(waiting, options.activitiesMax);
      if (calls.length === 0) break;
      for (const { bytes } of calls) waitingBytes -= bytes;
      await storeTogether(calls);
    }
    running -= 1;
  };
  return {
    assertRoom: () => {
      if (waitingBytes > options.waitingBytesMax) throw overloaded();
    },
    store: (ctx, prepared) =>
      new Promise((resolve, reject) => {
        const calls = waiting.get(ctx.tenantId) ?? [];
        waiting.set(ctx.tenantId, calls);
        const activities = prepared.map(({ activity }) => activity);
        const bytes = prepared.reduce((sum, each) => sum + each.bytes, 0);
        calls.push({ ctx, activities, bytes, resolve, reject });
        waitingBytes += bytes;
        if (running < options.atOnceMax) void run();
      }),
  };
}

/** Of each tenant one call in its turn, so that none waits for all that another has sent. */
function takeCalls(waiting: Map<string, Waiting[]>, activitiesMax: number): Waiting[] {
  const taken: Waiting[] = [];
  let activities = 0;
  for (const [tenantId, calls] of waiting) {
    const [call] = calls as [Waiting];
    activities += call.activities.length;
    if (taken.length > 0 && activities > activitiesMax) break;
    taken.push(call);
    calls.shift();
    // To the end of the turns, where this loop comes to it again.
    waiting.delete(tenantId);
    if (calls.length > 0) waiting.set(tenantId, calls);
  }
  return taken;
}

function overloaded(): AnnalsError {
  return new AnnalsError({ code: 'overloaded', message: 'too much is waiting to be stored; try again' });
}
