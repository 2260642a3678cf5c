import { z } from 'zod';
import { limits } from './limits.ts';
import { tenantId } from './text.ts';

/** Standard base64 with padding (RFC 4648, section 4). */
const base64 = z.base64();

/** SHA-256 as base64. */
export const hash = z.base64().length(44);

const epochMax = 2 ** 31 - 1;

/** Of a tenant's log; the newest unless told otherwise. */
const epoch = z.int().min(1).max(epochMax, `must be at most ${epochMax}`).optional();

/** How many activities a log has, or had. */
const size = z.int().min(1, 'must be at least 1');

/**
 * What a log promises when it has stored a batch: that the leaf hashes of the batch, whose RFC 6962 root is
 * `root`, will stand in it one after the other.
 */
export const Batch = z.strictObject({
  id: z.uuid(),
  /** Activities, refused ones and duplicates not counted. */
  size: z.int(),
  root: hash,
  /** The signed note that covers the batch, where `ack: 'sequenced'` asked for it and it came in time. */
  checkpoint: z.string().optional(),
});
export type Batch = z.output<typeof Batch>;

export const CheckpointInput = z.strictObject({
  tenantId: tenantId.optional(),
  epoch,
  /** The checkpoint signed at just this size; the newest unless told otherwise. */
  size: size.optional(),
});
export type CheckpointInput = z.output<typeof CheckpointInput>;

/** What was signed about a log at one size. Nothing but the note need be believed, and only once it is verified. */
export const CheckpointResult = z.strictObject({
  origin: z.string(),
  epoch: z.int(),
  size: z.int(),
  root: hash,
  /** C2SP tlog-checkpoint with its signatures, those of witnesses included. */
  note: z.string(),
  signedAt: z.date(),
  /**
   * Keys that signed it, as C2SP vkeys: for a first look. Take those to trust from elsewhere, or keep them from
   * the first time on.
   */
  verifierKeys: z.array(z.string()),
});
export type CheckpointResult = z.output<typeof CheckpointResult>;

export const ProofInput = z.strictObject({
  tenantId: tenantId.optional(),
  id: z.uuid({ version: 'v7', error: 'must be a UUID of version 7' }).toLowerCase(),
});
export type ProofInput = z.output<typeof ProofInput>;

/** That an activity stands in its log, and what leads from the activity as it is read to its leaf (docs/format.md). */
export const ProofResult = z.strictObject({
  origin: z.string(),
  epoch: z.int(),
  index: z.int(),
  /** Of the checkpoint that the proof leads to. */
  size: z.int(),
  leaf: hash,
  /** The inclusion proof of RFC 6962, the leaf's sibling first. */
  hashes: z.array(hash).max(limits.proofHashesMax),
  note: z.string(),
  /** Whether Annals itself wrote the activity. */
  own: z.boolean(),
  /** Of an activity of which nothing was erased, for who may see personal fields: what its salts derive from. */
  seed: base64.optional(),
  /** Otherwise: salts of what the activity shows, commitments of what was erased or is masked. */
  openings: base64.optional(),
});
export type ProofResult = z.output<typeof ProofResult>;

export const ConsistencyInput = z.strictObject({
  tenantId: tenantId.optional(),
  epoch,
  from: size,
  /** At most the size of the newest checkpoint, which it is unless told otherwise. */
  to: size.optional(),
});
export type ConsistencyInput = z.output<typeof ConsistencyInput>;

/** That the log of `from` entries is how that of `to` entries begins. */
export const ConsistencyResult = z.strictObject({
  origin: z.string(),
  epoch: z.int(),
  from: z.int(),
  to: z.int(),
  /** The consistency proof of RFC 6962; empty between equal sizes. */
  hashes: z.array(hash).max(limits.proofHashesMax),
});
export type ConsistencyResult = z.output<typeof ConsistencyResult>;

export const TileInput = z.strictObject({
  tenantId: tenantId.optional(),
  epoch,
  /** As C2SP tlog-tiles has it: `tile/0/x001/234.p/56`, `tile/entries/000`. */
  path: z.string().max(limits.tilePathLengthMax, `must be at most ${limits.tilePathLengthMax} characters`),
});
export type TileInput = z.output<typeof TileInput>;

export const TileResult = z.strictObject({ bytes: base64 });
export type TileResult = z.output<typeof TileResult>;
