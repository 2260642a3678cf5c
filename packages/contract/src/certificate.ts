import { z } from 'zod';
import { hash } from './integrity.ts';
import { jobKinds } from './job.ts';
import { limits } from './limits.ts';
import { tenantId } from './text.ts';

export const CertificateInput = z.strictObject({ tenantId: tenantId.optional(), jobId: z.uuid() });
export type CertificateInput = z.output<typeof CertificateInput>;

/** One of Annals' own records with what leads from it to a signed checkpoint (docs/format.md). */
const CertifiedRecord = z.strictObject({
  /** As JSON; what the caller may not see is left out. */
  record: z.looseObject({}),
  seed: z.base64().optional(),
  openings: z.base64().optional(),
  /** Absent until a signed checkpoint covers the record. */
  proof: z
    .strictObject({
      epoch: z.int(),
      index: z.int(),
      hashes: z.array(hash).max(limits.proofHashesMax),
      note: z.string(),
    })
    .optional(),
});

/**
 * The account of one erasure or purge. Stored as it comes, or as JSON with two spaces of indentation and one
 * newline at the end, it is verified without a network.
 */
export const CertificateResult = z.strictObject({
  version: z.literal(1),
  tenantId: z.string(),
  job: z.strictObject({
    id: z.uuid(),
    kind: z.enum(jobKinds),
    mode: z.string(),
    status: z.enum(['completed', 'cancelled']),
  }),
  /** What the run did: rows by table, values by field or activities by policy, what holds kept, what remains. */
  account: z.looseObject({}),
  outOfReach: z.array(z.strictObject({ code: z.string(), text: z.string() })),
  requested: CertifiedRecord,
  completed: CertifiedRecord,
  /** The lists of what has gone, each sealed in the log or due to be. */
  manifests: z.array(
    z.strictObject({ id: z.uuid(), sealed: CertifiedRecord.optional(), dueAt: z.string().optional() }),
  ),
  policy: z.string(),
});
export type CertificateResult = z.output<typeof CertificateResult>;
