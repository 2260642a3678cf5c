import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a child process does for its parent, by name; inputs and results are structured clones. */
export type Commands = Readonly<Record<string, (input: never) => Promise<unknown>>>;

interface Asked {
  readonly number: number;
  readonly name: string;
  readonly input: unknown;
}

type Answer = { readonly number: number } & ({ readonly result: unknown } | { readonly error: string });

/** A process of its own that serves commands, so that what it does is not measured as another's. */
export interface Child<C extends Commands> {
  call<Name extends keyof C & string>(
    name: Name,
    input: Parameters<C[Name]>[0],
  ): Promise<Awaited<ReturnType<C[Name]>>>;
  /** Of the process, in bytes. */
  memory(): Promise<number>;
  close(): Promise<void>;
}

/** Errors: of a call, what the child threw, as its text. */
export function startChild<C extends Commands>(file: string): Child<C> {
  const child: ChildProcess = fork(file, { serialization: 'advanced' });
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  let number = 0;
  child.on('message', (answer: Answer) => {
    const waiting = open.get(answer.number);
    open.delete(answer.number);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.result);
  });
  const exited = once(child, 'exit');
  child.once('exit', (code) => {
    for (const waiting of open.values()) waiting.reject(new Error(`${file} ended with ${code}`));
  });
  const ask = async (name: string, input: unknown) => {
    if (!child.connected) throw new Error(`${file} has ended`);
    number += 1;
    const waiting = Promise.withResolvers<unknown>();
    open.set(number, waiting);
    child.send({ number, name, input } satisfies Asked);
    return waiting.promise;
  };
  return {
    call: async (name, input) => (await ask(name, input)) as never,
    memory: async () => (await ask(memory, undefined)) as number,
    close: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

const memory = 'memory';

/** In the child: serve until the parent lets go. */
export function serveCommands(commands: Commands): void {
  process.on('message', (asked: Asked) => void answer(commands, asked));
  process.once('disconnect', () => process.exit(0));
}

async function answer(commands: Commands, { number, name, input }: Asked): Promise<void> {
  try {
    const command = { ...commands, [memory]: ownMemory }[name] as (input: unknown) => Promise<unknown>;
    reply({ number, result: await command(input) });
  } catch (error) {
    reply({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function reply(answer: Answer): void {
  process.send?.(answer);
}

async function ownMemory(): Promise<number> {
  return process.memoryUsage.rss();
}
