import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { isAborted } from '../job/is-aborted.ts';
import { roles } from './roles.ts';

/** What there is to be woken for: batches were committed, a log has grown, a checkpoint was signed. */
export const channels = ['annals_batch', 'annals_log', 'annals_checkpoint'] as const;

export type Channel = (typeof channels)[number];

/**
 * Wakes whoever waits, in this process and in the others on the database.
 *
 * A signal says only that something may have happened. One may be lost, come twice, or stand for many; whoever
 * waits looks for itself, and looks now and then without one.
 */
export interface Signals {
  /** Returns at once. For what a transaction does, see `Tx.notify`. */
  notify(channel: Channel): void;
  /** Call back at each signal; returns what ends it. */
  on(channel: Channel, listener: () => void): () => void;
  close(): Promise<void>;
}

export interface SignalsOptions {
  /** The app role's connection, which is opened when somebody waits for the first time. */
  readonly connectionString: string;
  readonly setRole: boolean;
  /** Sends one NOTIFY, in a transaction of its own. */
  readonly send: (channel: Channel, sender: string) => Promise<unknown>;
}

export function createSignals({ send, ...connection }: SignalsOptions): Signals {
  const sender = randomUUID();
  const closing = new AbortController();
  const { signal } = closing;
  const listeners = new Map<Channel, Set<() => void>>(channels.map((channel) => [channel, new Set()]));
  const wake = (channel: Channel) => {
    for (const listener of listeners.get(channel) ?? []) listener();
  };
  const tellOthers = coalesce((channel) => send(channel, sender), signal);
  let listening: Promise<void> | undefined;
  return {
    notify: (channel) => {
      wake(channel);
      tellOthers(channel);
    },
    on: (channel, listener) => {
      listening ??= keepListening({ ...connection, sender, wake, signal });
      // One of its own, so that the same function can wait twice.
      const own = () => listener();
      listeners.get(channel)?.add(own);
      return () => void listeners.get(channel)?.delete(own);
    },
    close: async () => {
      closing.abort();
      await listening;
    },
  };
}

/** Each NOTIFY takes a lock of the whole database, however briefly, so that many signals make one. */
const apartMs = 20;

/** The first goes out at once; those that come while it is on its way, or right behind it, go out as one. */
function coalesce(
  send: (channel: Channel) => Promise<unknown>,
  signal: AbortSignal,
): (channel: Channel) => void {
  const states = new Map<Channel, { again: boolean }>();
  const run = async (channel: Channel, state: { again: boolean }) => {
    do {
      state.again = false;
      // Whoever misses it looks by itself before long.
      await send(channel).catch(() => undefined);
      await delay(apartMs, undefined, { signal, ref: false }).catch(() => undefined);
    } while (state.again && !isAborted(signal));
    states.delete(channel);
  };
  return (channel) => {
    const state = states.get(channel);
    if (state) state.again = true;
    else if (!isAborted(signal)) {
      const started = { again: false };
      states.set(channel, started);
      void run(channel, started);
    }
  };
}

interface Listening {
  readonly connectionString: string;
  readonly setRole: boolean;
  readonly sender: string;
  readonly wake: (channel: Channel) => void;
  readonly signal: AbortSignal;
}

const lostPauseMs = 50;
const refusedPauseMs = 1_000;

async function keepListening(listening: Listening): Promise<void> {
  const { signal } = listening;
  while (!isAborted(signal)) {
    const pauseMs = await listen(listening).then(
      () => lostPauseMs,
      () => refusedPauseMs,
    );
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Until the connection is lost or the signal comes. */
async function listen({ connectionString, setRole, sender, wake, signal }: Listening): Promise<void> {
  const client = new Client({
    connectionString,
    application_name: 'annals signals',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  client.on('error', () => undefined);
  client.on('notification', ({ channel, payload }) => {
    const known = channels.find((each) => each === channel);
    // What this process sent it has told itself.
    if (known && payload !== sender) wake(known);
  });
  const end = () => void client.end().catch(() => undefined);
  try {
    await client.connect();
    if (setRole) await client.query(`set role ${roles.app}`);
    for (const channel of channels) await client.query(`listen ${channel}`);
    // For what was missed since the connection before this one.
    for (const channel of channels) wake(channel);
    signal.addEventListener('abort', end, { once: true });
    if (!isAborted(signal)) await ended;
  } finally {
    signal.removeEventListener('abort', end);
    await client.end().catch(() => undefined);
  }
}
