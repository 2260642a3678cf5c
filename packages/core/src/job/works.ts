import type { JobKind } from '@annals/contract';
import { anonymize } from '../privacy/anonymize.ts';
import { redact } from '../privacy/redact.ts';
import { purge } from '../retention/purge.ts';
import type { JobWork } from './job-work.ts';

export const works: Record<JobKind, JobWork> = { anonymize, redact, retention: purge };
