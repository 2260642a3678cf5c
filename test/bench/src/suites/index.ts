import { commitments } from './commitments.ts';
import { erase } from './erase.ts';
import { exports } from './export.ts';
import { imports } from './import.ts';
import { indexes } from './indexes.ts';
import { ingest } from './ingest.ts';
import { proof } from './proof.ts';
import { read } from './read.ts';
import { retention } from './retention.ts';
import { sdk } from './sdk.ts';
import { size } from './size.ts';
import { stats } from './stats.ts';
import { storage } from './storage.ts';
import { tail } from './tail.ts';
import { verify } from './verify.ts';

/** What can be measured, in the order in which all are. */
export const suites = {
  commitments,
  ingest,
  import: imports,
  verify,
  proof,
  read,
  stats,
  erase,
  retention,
  export: exports,
  tail,
  storage,
  sdk,
} as const;

/** What is measured when it is asked for by name alone, since it takes long. */
export const furtherSuites = { indexes, size } as const;
