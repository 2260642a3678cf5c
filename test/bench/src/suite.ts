import type { Row } from './row.ts';
import type { Turns } from './take-turns.ts';

export interface SuiteOptions extends Turns {
  /** How many activities a suite that loads data loads. */
  readonly records: number;
  /** Of the log, for what tells how cost grows with them. */
  readonly sizes?: readonly number[];
  /** Superuser URL of an empty database; asked for by suites that need one, which then share it. */
  readonly database: () => Promise<string>;
}

/** Measures one thing; its rows go into the table as they are. */
export type Suite = (options: SuiteOptions) => Promise<Row[]>;
