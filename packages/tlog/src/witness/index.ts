export {
  type AddCheckpoint,
  type AddCheckpointParts,
  formatAddCheckpoint,
  parseAddCheckpoint,
  parseWitnessSize,
} from './add-checkpoint.ts';
export { readCosignatures, type WitnessReply } from './read-cosignatures.ts';
export {
  type WitnessAnswer,
  type WitnessCosigned,
  type Witnessing,
  type WitnessRefusal,
  witnessCheckpoint,
} from './witness-checkpoint.ts';
