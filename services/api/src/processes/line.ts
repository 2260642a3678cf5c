import { AnnalsError } from '@annals/contract';
import { StartError } from '../postgres/start-error.ts';

/** What one end of a line answers, by name. Values and answers are structured clones. */
export type Answers = Readonly<Record<string, (...values: never[]) => Promise<unknown>>>;

/** One end of the channel between the first process and a fork of it. */
export interface Line<Theirs> {
  /** Errors  StartError with the sentence of the other end; Error when the other end is gone. */
  ask<Name extends keyof Theirs & string>(
    name: Name,
    ...values: ValuesOf<Theirs[Name]>
  ): AnswerOf<Theirs[Name]>;
}

type ValuesOf<Answer> = Answer extends (...values: infer Values) => unknown ? Values : never;
type AnswerOf<Answer> = Answer extends (...values: never[]) => infer Given ? Given : never;

/** The process itself in a fork, and a fork's worker in the first process. */
export interface Channel {
  send?(message: object, onSent: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

type Message =
  | { readonly ask: string; readonly id: number; readonly values: readonly unknown[] }
  | { readonly answer: number; readonly value: unknown }
  | { readonly failure: number; readonly sentence: string; readonly told: boolean };

/** Listen to the channel from now on; `answers` are given to the other end. */
export function openLine<Theirs>(channel: Channel, answers: Answers): Line<Theirs> {
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  let nextId = 0;
  const send = (message: Message) =>
    new Promise<void>((sent, failed) => {
      if (!channel.send) return failed(gone());
      channel.send(message, (error) => (error ? failed(error) : sent()));
    });
  const reply = async (name: string, id: number, values: readonly unknown[]) => {
    try {
      await send({ answer: id, value: await answers[name]?.(...(values as never[])) });
    } catch (error) {
      const told = error instanceof StartError || error instanceof AnnalsError;
      const sentence = error instanceof Error ? error.message : String(error);
      // An end that is gone needs no answer.
      await send({ failure: id, sentence, told }).catch(() => undefined);
    }
  };
  channel.on('message', (received) => {
    const message = received as Message;
    if ('ask' in message) void reply(message.ask, message.id, message.values);
    else if ('answer' in message) asked.get(message.answer)?.resolve(message.value);
    else asked.get(message.failure)?.reject(failureOf(message));
  });
  channel.once('disconnect', () => {
    for (const { reject } of asked.values()) reject(gone());
  });
  return {
    ask: (async (ask: string, ...values: unknown[]) => {
      const id = nextId++;
      const answer = Promise.withResolvers<unknown>();
      asked.set(id, answer);
      try {
        await send({ ask, id, values });
        return await answer.promise;
      } finally {
        asked.delete(id);
      }
    }) as never,
  };
}

function failureOf({ sentence, told }: Extract<Message, { failure: number }>): Error {
  return told ? new StartError(sentence) : new Error(sentence);
}

function gone(): Error {
  return new Error('the process at the other end has ended');
}
