export { authenticate } from './access/authenticate.ts';
export { bootstrapKey } from './access/bootstrap-key.ts';
export { createKey } from './access/create-key.ts';
export { currentKey } from './access/current-key.ts';
export { listKeys } from './access/list-keys.ts';
export { revokeKey } from './access/revoke-key.ts';
export { appendActivities } from './activity/append.ts';
export { countActivities } from './activity/count.ts';
export { exportActivities } from './activity/export.ts';
export { type ExportChunk, type ExportStream, streamActivities } from './activity/export-stream.ts';
export { facetActivities } from './activity/facets.ts';
export { firstProblem, type Issue, type Problem } from './activity/first-problem.ts';
export { getActivity } from './activity/get.ts';
export { listActivities } from './activity/list.ts';
export { ensurePartitions, ensurePartitionsAhead, withPartitions } from './activity/partitions.ts';
export {
  ensureRecordPartition,
  keyActor,
  type OwnActivity,
  recordActivity,
} from './activity/record-activity.ts';
export { resolveFilter } from './activity/resolve-filter.ts';
export { statsActivities } from './activity/stats.ts';
export { summarizeActor } from './activity/summary.ts';
export { type Condition, type Sight, whereActivity } from './activity/where.ts';
export { type ExportBundle, exportBundle } from './bundle/export-bundle.ts';
export { getCertificate } from './certificate/get-certificate.ts';
export { type Clock, systemClock } from './clock.ts';
export {
  type Context,
  deploymentTenant,
  hasScope,
  type Principal,
  requireScope,
  type Services,
} from './context.ts';
export { createWaiter, type Waiter } from './database/create-waiter.ts';
export { type Database, type DatabaseOptions, openDatabase, type Tx } from './database/database.ts';
export { migrate, provision, type RoleLogin } from './database/provision.ts';
export { roles } from './database/roles.ts';
export type { Channel, Signals } from './database/signals.ts';
export { isReachable, queueDepth, readinessWarnings } from './health.ts';
export { createHold } from './hold/create-hold.ts';
export { listHolds } from './hold/list-holds.ts';
export { releaseHold } from './hold/release-hold.ts';
export { cancelJob } from './job/cancel-job.ts';
export { getJob } from './job/get-job.ts';
export { createJobQueue } from './job/graphile-queue.ts';
export { listJobs } from './job/list-jobs.ts';
export { maintain } from './job/maintenance.ts';
export type { JobQueue } from './job/queue.ts';
export { resumeJob } from './job/resume-job.ts';
export { type RunJob, type RunOutcome, runJob } from './job/run-job.ts';
export type { Rounds } from './job/start-rounds.ts';
export { startWorker, type Worker, type WorkerOptions } from './job/start-worker.ts';
export { type WatchJob, watchJob } from './job/watch-job.ts';
export { consistencyProof } from './log/consistency-proof.ts';
export { type Follower, followLog } from './log/follow-log.ts';
export { getCheckpoint } from './log/get-checkpoint.ts';
export { getTile } from './log/get-tile.ts';
export { inclusionProof } from './log/inclusion-proof.ts';
export { logReader, type TreeOfLog } from './log/log-reader.ts';
export { findLog, type Log, newestLog } from './log/newest-log.ts';
export { proveActivity } from './log/prove-activity.ts';
export { proveConsistency } from './log/prove-consistency.ts';
export { readTiles } from './log/read-tiles.ts';
export { sequence } from './log/sequence.ts';
export { sequencingLag } from './log/sequencing-lag.ts';
export { type FollowerOptions, startFollower } from './log/start-follower.ts';
export { type SequencerOptions, startSequencer } from './log/start-sequencer.ts';
export { type Logger, silentLogger } from './logger.ts';
export { applyAnonymize } from './privacy/apply-anonymize.ts';
export { applyRedact } from './privacy/apply-redact.ts';
export { planAnonymize } from './privacy/plan-anonymize.ts';
export { planRedact } from './privacy/plan-redact.ts';
export { applyRetention } from './retention/apply-retention.ts';
export { listPolicies } from './retention/list-policies.ts';
export { planRetention } from './retention/plan-retention.ts';
export { setPolicies } from './retention/set-policies.ts';
export { checkRollups } from './rollup/check-rollups.ts';
export { rollupFollower, startRollups } from './rollup/count-batches.ts';
export {
  assertSupportedServer,
  type DatabaseAccess,
  type OpenedServices,
  type OpenServicesOptions,
  openServices,
} from './services.ts';
export {
  type CreateLogKey,
  createLogKey,
  type RetireLogKey,
  retireLogKey,
  rotateLogKey,
} from './signer/change-keys.ts';
export { listRefusedLogs, openEpochIn, type RefusedLog } from './signer/directory-epochs.ts';
export { type EnsureLogKey, ensureLogKey } from './signer/ensure-log-key.ts';
export { readSignerKeys, readStoredKeys, type StoredKey } from './signer/key-directory.ts';
export type { NoteSigner, SignerKeys } from './signer/note-signer.ts';
export type { OpenEpoch, OpenedEpoch } from './signer/open-epoch.ts';
export { type LogName, logOrigin, parseLogOrigin } from './signer/origin.ts';
export type { Refusal } from './signer/signer-memory.ts';
export type { SignedHead, SignerState } from './signer/signer-state.ts';
export { signerWarnings, signingLag } from './signer/signing-lag.ts';
export { type DirectorySignerOptions, startDirectorySigner } from './signer/start-directory-signer.ts';
export { type Signer, type SignerOptions, type SignerStatus, startSigner } from './signer/start-signer.ts';
export { openStateDirectory } from './signer/state-directory.ts';
export { stackFrames } from './stack-frames.ts';
export { type TailActivities, tailActivities } from './tail/tail-activities.ts';
export { createTenant } from './tenant/create-tenant.ts';
export { ensureTenant } from './tenant/ensure-tenant.ts';
export { listTenants } from './tenant/list-tenants.ts';
export { type ResolveTenantOptions, resolveTenant } from './tenant/resolve-tenant.ts';
