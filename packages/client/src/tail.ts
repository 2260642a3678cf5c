import type { Activity, ProcedureInput, TailEvent } from '@annals/contract';
import { type Selection, selectionOf } from './list.ts';
import type { CallOptions } from './options.ts';
import { toJson } from './to-json.ts';
import type { Transport } from './transport.ts';
import { withTenant } from './with-tenant.ts';

export interface TailOptions extends CallOptions {
  /** `start`: with the first activity of the log. `now`, unless told otherwise: behind its last. */
  readonly from?: 'start' | 'now' | undefined;
  /** That of the last event of an earlier tail, to go on behind it, whatever `from` says. */
  readonly cursor?: string | undefined;
}

/** Activities as they come into the log, in its order. Each iteration starts anew; it ends with the loop. */
export interface ActivityTail extends AsyncIterable<Activity> {
  /**
   * Event by event, as the server tells them, some without activities. Who keeps each cursor together with what was
   * done about the activities before it, and begins there again, misses nothing and does nothing twice.
   */
  events(): AsyncIterable<TailEvent>;
}

/** A stream that breaks is opened again behind what was told: nothing is missed, and nothing told twice. */
export function tailActivities(
  transport: Transport,
  selection: Selection,
  options: TailOptions = {},
): ActivityTail {
  const { from, cursor: first, ...call } = options;
  const input: ProcedureInput<'activity.tail'> = {
    ...withTenant(transport, selectionOf(selection), call),
    ...(from && { from }),
  };
  // Copied now: a filter that the caller changes later must not change between two connections.
  const copied = JSON.parse(toJson(input)) as object;
  async function* events(): AsyncGenerator<TailEvent> {
    // Most programs read no stream, and should not load what does.
    const { subscribe } = await import('./subscribe.ts');
    let cursor = first;
    const next = () => (cursor === undefined ? copied : { ...copied, lastEventId: cursor });
    const { signal } = call;
    for await (const event of subscribe(transport, { name: 'activity.tail', input: next, signal })) {
      ({ cursor } = event);
      yield event;
    }
  }
  return {
    events,
    async *[Symbol.asyncIterator]() {
      for await (const { activities } of events()) yield* activities;
    },
  };
}
