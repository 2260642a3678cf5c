export { formatPolicy } from './format-policy.ts';
export { parsePolicy } from './parse-policy.ts';
export {
  meetsQuorum,
  type Policy,
  type PolicyLog,
  type PolicyWitness,
  type Quorum,
  type QuorumMember,
} from './policy.ts';
export { type VerifiedCheckpoint, verifyCheckpoint, type WitnessCosignature } from './verify-checkpoint.ts';
