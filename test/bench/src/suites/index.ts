import { commitments } from './commitments.ts';
import { ingest } from './ingest.ts';
import { proof } from './proof.ts';
import { storage } from './storage.ts';
import { verify } from './verify.ts';

/** What can be measured, in the order in which all are. */
export const suites = { commitments, ingest, verify, proof, storage } as const;
