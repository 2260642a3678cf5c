import { commitments } from './commitments.ts';
import { ingest } from './ingest.ts';
import { proof } from './proof.ts';
import { storage } from './storage.ts';

/** What can be measured, in the order in which all are. */
export const suites = { commitments, ingest, proof, storage } as const;
