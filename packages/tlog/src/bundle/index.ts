export { type BundleVerification, type BundleVerifier, createBundleVerifier } from './bundle-verifier.ts';
export { type BlockCheck, type BlockResult, checkBlock } from './check-block.ts';
export { policyOfEpochs } from './checkpoints.ts';
export {
  type Finding,
  type FindingCode,
  type FindingPlace,
  findingCodes,
  type Severity,
} from './findings.ts';
export {
  type BundleLine,
  type BundleLog,
  bundleLimits,
  bundleVersion,
  type CheckpointLine,
  type EndLine,
  type ErasureItemText,
  formatBundleLine,
  type HeaderLine,
  type ManifestLine,
  type PolicyLine,
  type RecordLine,
  type TileLine,
} from './lines.ts';
export { type Receipt, type ReceiptReport, readReceipt } from './receipts.ts';
export type { BundleReport, IndexCounts, LogReport, ManifestCounts } from './report.ts';
export { type BundlePart, type BundleSplitter, createBundleSplitter } from './split-bundle.ts';
export { verifyAuditBundle } from './verify-bundle.ts';
