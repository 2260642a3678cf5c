import type { ProcedureInput, ProcedureName, ProcedureOutput } from '@annals/contract';
import { failureOf } from './answer.ts';
import { repeatable } from './call-kinds.ts';
import type { CallOptions, Settings } from './options.ts';
import { AttemptFailed, createBackoff } from './retrying.ts';
import { toJson } from './to-json.ts';

export interface Transport {
  readonly settings: Settings;
  /** One call with its input; made again where that is safe and the server or the way to it fails. */
  call<Name extends ProcedureName>(
    name: Name,
    input: ProcedureInput<Name>,
    options?: CallOptions,
  ): Promise<ProcedureOutput<Name>>;
  /** As `call`, with an input that is JSON already, and nobody else's to change. */
  send<Name extends ProcedureName>(
    name: Name,
    json: object,
    options?: CallOptions,
  ): Promise<ProcedureOutput<Name>>;
}

export function createTransport(settings: Settings): Transport {
  const send: Transport['send'] = async (name, json, { signal } = {}) => {
    signal?.throwIfAborted();
    const backoff = createBackoff(
      repeatable.has(name) ? settings.retry : { ...settings.retry, attemptsMax: 1 },
    );
    for (;;) {
      try {
        const { attempt } = await loadAttempt(settings);
        return (await attempt(settings, { name, json, signal })) as never;
      } catch (error) {
        if (!(error instanceof AttemptFailed)) throw error;
        await backoff.pause(error, signal);
      }
    }
  };
  const call: Transport['call'] = (name, input, options) =>
    send(name, JSON.parse(toJson(input)) as object, options);
  return { settings, send, call: async (...args) => call(...args) };
}

/** Programs that only log make no other call, and should not load tRPC's client. */
async function loadAttempt(settings: Settings) {
  return import('./attempt.ts').catch((error: unknown) => {
    throw new AttemptFailed(failureOf(error, { timedOut: false, settings }), 0);
  });
}
