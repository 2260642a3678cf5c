import type { DatabaseAccess } from '@annals/core';
import type { Config } from '../config.ts';
import type { Figures } from './add-figures.ts';

/** What the first process asks of a fork. */
export interface ForkCalls {
  /** Returns the port. Errors  StartError naming the port that is taken or not permitted. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Connect to the database, and serve as soon as it listens. */
  open(opening: Opening): Promise<void>;
  /** What it has counted. */
  figures(): Promise<Figures>;
  /** Answer what is in hand and end; nobody waits for the answer to this, but for the end. */
  stop(graceMs: number): Promise<void>;
}

export interface Opening {
  readonly config: Config;
  readonly database: DatabaseAccess;
}

/** What a fork asks of the first process. */
export interface FirstCalls {
  /** Of all processes. */
  metrics(): Promise<{ contentType: string; body: string }>;
  warnings(): Promise<string[]>;
}
