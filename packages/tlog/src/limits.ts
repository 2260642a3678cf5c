/** What this package takes at most, so that no input can make it work or allocate without bound. */
export const limits = {
  /** Entries of a tree: what a number holds exactly. The specifications go to 2^64 - 1. */
  treeSizeMax: Number.MAX_SAFE_INTEGER,
  /** Hashes of a proof: a consistency proof in the largest tree needs at most this many. */
  proofHashesMax: 64,
  /** Bytes of one entry, whose length an entry bundle writes as uint16 (C2SP tlog-tiles). */
  entryBytesMax: 65_535,
  noteBytesMax: 1_000_000,
  /** C2SP signed-note asks for at least 16. */
  noteSignaturesMax: 100,
  proofFileBytesMax: 4_000_000,
  policyBytesMax: 1_000_000,
  /** Logs, witnesses and groups of a policy, each; C2SP tlog-policy asks for at least 32. */
  policyItemsMax: 256,
  /** Hashes of a consistency proof sent to a witness (C2SP tlog-witness). */
  witnessProofHashesMax: 63,
  /** Room for those, and for a checkpoint with signatures of some kilobytes each. */
  witnessRequestBytesMax: 131_072,
  witnessAnswerBytesMax: 65_536,
  /** Levels of a value that is made canonical. */
  jsonDepthMax: 100,
} as const;

export type Limits = typeof limits;
