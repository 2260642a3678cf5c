export {
  ApiKey,
  KeyCreateInput,
  type KeyCreateResult,
  type KeyListResult,
  type Scope,
  scopes,
  Tenant,
  type TenantListResult,
} from './access.ts';
export { Activity, mask } from './activity/activity.ts';
export { ActivityInput, actionKey, type ValidActivity } from './activity/activity-input.ts';
export { detailsByKind } from './activity/details.ts';
export type { ImportedLine, ImportTotals } from './activity/import.ts';
export {
  type Ack,
  acks,
  type CountResult,
  type Dimension,
  dimensions,
  type Estimate,
  ExportInput,
  type FacetField,
  type FacetsInput,
  type FacetsResult,
  facetFields,
  intervals,
  type ListInput,
  type LogInput,
  type LogItem,
  type LogResult,
  orders,
  type Page,
  type StatsInput,
  type StatsResult,
  type SummaryInput,
  type SummaryResult,
  type TailEvent,
  type TailInput,
  tailStarts,
} from './activity/procedures.ts';
export {
  type ActorType,
  actorTypes,
  type Kind,
  kinds,
  type Operation,
  type Outcome,
  operations,
  outcomes,
  type Severity,
  severities,
  type Visibility,
  visibilities,
} from './activity/vocabulary.ts';
export type { CertificateInput, CertificateResult } from './certificate.ts';
export { AnnalsError, type ErrorCode, type ErrorInfo, errorCodes, errorStatus } from './errors.ts';
export * from './filter/index.ts';
export {
  Hold,
  type HoldCreateInput,
  type HoldListInput,
  type HoldListResult,
  type HoldReleaseInput,
} from './hold.ts';
export {
  Batch,
  type CheckpointInput,
  type CheckpointResult,
  type ConsistencyInput,
  type ConsistencyResult,
  type ProofInput,
  type ProofResult,
  type TileInput,
  type TileResult,
} from './integrity.ts';
export {
  Job,
  type JobInput,
  type JobKind,
  type JobListInput,
  type JobListResult,
  JobResult,
  type JobStatus,
  jobKinds,
  jobStatuses,
} from './job.ts';
export { findJsonProblem, type JsonObject, type JsonValue } from './json.ts';
export { limits } from './limits.ts';
export { createLineSplitter, type Line, type LineSplitter } from './lines.ts';
export {
  type ApplyInput,
  Plan,
  type PlanAnonymizeInput,
  type PlanRedactInput,
  type PoliciesInput,
  type PoliciesResult,
  RetentionPolicy,
  redactableFields,
} from './plan.ts';
export {
  type ProcedureInput,
  type ProcedureName,
  type ProcedureOutput,
  type ProcedureSpec,
  procedures,
} from './procedures.ts';
export { RollupCheckInput, type RollupCheckResult } from './rollup.ts';
export { isStorableText } from './text.ts';
