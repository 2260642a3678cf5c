import { styleText } from 'node:util';

export const outputModes = ['human', 'json', 'ndjson'] as const;
export type OutputMode = (typeof outputModes)[number];

/** The streams and environment of the process, so that nothing else touches them. */
export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Where a command writes: data to stdout, all else to stderr. */
export interface Terminal {
  readonly mode: OutputMode;
  /** Somebody can answer a question. */
  readonly interactive: boolean;
  /** A line of stderr can be drawn again. */
  readonly animated: boolean;
  readonly quiet: boolean;
  /** Data. In human mode a text, else JSON: one document, or a line for each item of a list. */
  result(value: object, human: () => string): void;
  /** A remark; nothing when quiet, and a JSON line where a program reads. */
  note(text: string): void;
  /** An event for a program that reads stderr. */
  event(event: object): void;
  style(format: Parameters<typeof styleText>[0], text: string): string;
}

export interface TerminalOptions {
  readonly mode: OutputMode;
  readonly quiet: boolean;
  readonly input: boolean;
}

export function createTerminal(io: Io, { mode, quiet, input }: TerminalOptions): Terminal {
  const event = (value: object) => line(io.stderr, JSON.stringify(value));
  return {
    mode,
    quiet,
    interactive: input && isTerminal(io.stdin) && isTerminal(io.stderr),
    animated: !quiet && mode === 'human' && isTerminal(io.stderr) && io.env['TERM'] !== 'dumb',
    result: (value, human) => {
      if (mode === 'human') line(io.stdout, human());
      else if (mode === 'json' || !Array.isArray(value)) line(io.stdout, JSON.stringify(value));
      else for (const item of value) line(io.stdout, JSON.stringify(item));
    },
    note: (text) => {
      if (quiet) return;
      if (mode === 'human') line(io.stderr, text);
      else event({ event: 'note', message: text });
    },
    event: (value) => {
      if (!quiet) event(value);
    },
    style: (format, text) => styleText(format, text, { stream: io.stdout }),
  };
}

function line(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${text}\n`);
}

// Undefined, not false, on a pipe or a file.
function isTerminal({ isTTY }: { readonly isTTY?: boolean }): boolean {
  return isTTY === true;
}
