export {
  appendLeaves,
  type CompactRange,
  emptyRange,
  mergeRanges,
  rootOf,
  rootOfRange,
} from './compact-range.ts';
export { emptyRoot, hashBytes, hashLeaf, hashNode, splitHashes } from './hash.ts';
export {
  consistencyRanges,
  type EntryRange,
  inclusionRanges,
  nodesOfProof,
  readProof,
} from './proof-ranges.ts';
export { foldHashes, type HashReader, type NodeId, readerOf, subtreesOf } from './subtrees.ts';
export { type ConsistencyProof, verifyConsistency } from './verify-consistency.ts';
export {
  type InclusionProof,
  rootFromInclusion,
  type TreeHead,
  verifyInclusion,
} from './verify-inclusion.ts';
