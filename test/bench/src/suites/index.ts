import { commitments } from './commitments.ts';

/** What can be measured, in the order in which all are. */
export const suites = { commitments } as const;
