import { z } from 'zod';
import {
  ApiKey,
  KeyCreateInput,
  KeyCreateResult,
  KeyListInput,
  KeyListResult,
  KeyRevokeInput,
  type Scope,
  Tenant,
  TenantCreateInput,
  TenantListResult,
} from './access.ts';
import { Activity } from './activity/activity.ts';
import {
  CountInput,
  CountResult,
  FacetsInput,
  FacetsResult,
  GetInput,
  ListInput,
  LogInput,
  LogResult,
  Page,
  StatsInput,
  StatsResult,
  SummaryInput,
  SummaryResult,
  TailEvent,
  TailInput,
} from './activity/procedures.ts';
import { CertificateInput, CertificateResult } from './certificate.ts';
import { Hold, HoldCreateInput, HoldListInput, HoldListResult, HoldReleaseInput } from './hold.ts';
import {
  CheckpointInput,
  CheckpointResult,
  ConsistencyInput,
  ConsistencyResult,
  ProofInput,
  ProofResult,
  TileInput,
  TileResult,
} from './integrity.ts';
import { Job, JobInput, JobListInput, JobListResult } from './job.ts';
import {
  ApplyInput,
  Plan,
  PlanAnonymizeInput,
  PlanRedactInput,
  PoliciesInput,
  PoliciesResult,
  TenantInput,
} from './plan.ts';
import { RollupCheckInput, RollupCheckResult } from './rollup.ts';

export interface ProcedureSpec<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly type: 'query' | 'mutation' | 'subscription';
  /** The key needs one of these; none means that any valid key will do. */
  readonly scopes: readonly Scope[];
  readonly input: Input;
  readonly output: Output;
  readonly summary: string;
}

function spec<Input extends z.ZodType, Output extends z.ZodType, Type extends ProcedureSpec['type']>(
  value: ProcedureSpec<Input, Output> & { readonly type: Type },
) {
  return value;
}

const ofLogs = ['activities:read', 'export'] as const;
const ofJobs = ['privacy', 'retention'] as const;

/**
 * Every procedure: the one table from which the router takes input schemas and scopes, the docs their pages
 * and the tests of access and of bad input their cases.
 */
export const procedures = {
  'activity.log': spec({
    type: 'mutation',
    scopes: ['activities:write'],
    input: LogInput,
    output: LogResult,
    summary: 'Store 1 to 1,000 activities; each is stored, a duplicate, or refused with the reason.',
  }),
  'activity.get': spec({
    type: 'query',
    scopes: ['activities:read'],
    input: GetInput,
    output: Activity,
    summary: 'One activity by its id.',
  }),
  'activity.list': spec({
    type: 'query',
    scopes: ['activities:read'],
    input: ListInput,
    output: Page,
    summary: 'A page of the activities that a filter selects, in time order, with cursors both ways.',
  }),
  'activity.export': spec({
    type: 'query',
    scopes: ['export'],
    input: ListInput,
    output: Page,
    summary: 'As list, for taking records out: its first page is itself recorded as annals.exported.',
  }),
  'activity.count': spec({
    type: 'query',
    scopes: ['activities:read', 'stats:read'],
    input: CountInput,
    output: CountResult,
    summary: 'How many activities a filter selects, up to 10,000.',
  }),
  'activity.stats': spec({
    type: 'query',
    scopes: ['stats:read'],
    input: StatsInput,
    output: StatsResult,
    summary: 'Counts grouped by dimensions and, where asked, by hour, day, week or month in a time zone.',
  }),
  'activity.facets': spec({
    type: 'query',
    scopes: ['stats:read'],
    input: FacetsInput,
    output: FacetsResult,
    summary: 'The top values of fields, each counted under the other fields of the filter.',
  }),
  'activity.summary': spec({
    type: 'query',
    scopes: ['stats:read'],
    input: SummaryInput,
    output: SummaryResult,
    summary: 'One actor: first and last seen, counts by action and outcome, recent targets.',
  }),
  'activity.tail': spec({
    type: 'subscription',
    scopes: ['activities:read'],
    input: TailInput,
    output: TailEvent,
    summary:
      'What a filter selects as it comes into the log, in its order, until the caller goes (server-sent events).',
  }),
  'integrity.checkpoint': spec({
    type: 'query',
    scopes: ofLogs,
    input: CheckpointInput,
    output: CheckpointResult,
    summary: "The newest signed checkpoint of the tenant's log, or that of a size.",
  }),
  'integrity.proof': spec({
    type: 'query',
    scopes: ofLogs,
    input: ProofInput,
    output: ProofResult,
    summary: 'That one activity stands in the log, for the newest checkpoint, and how its leaf is computed.',
  }),
  'integrity.consistency': spec({
    type: 'query',
    scopes: ofLogs,
    input: ConsistencyInput,
    output: ConsistencyResult,
    summary: 'That nothing before a size of the log has changed by a later one.',
  }),
  'integrity.tile': spec({
    type: 'query',
    scopes: ofLogs,
    input: TileInput,
    output: TileResult,
    summary: 'A tile of the log, or a bundle of its entries, as the static files below /tlog have them.',
  }),
  'privacy.planAnonymize': spec({
    type: 'mutation',
    scopes: ['privacy'],
    input: PlanAnonymizeInput,
    output: Plan,
    summary: 'What erasing every trace of a person would change.',
  }),
  'privacy.applyAnonymize': spec({
    type: 'mutation',
    scopes: ['privacy'],
    input: ApplyInput,
    output: Job,
    summary: 'Start the job of an anonymize plan, unless the world has moved since.',
  }),
  'privacy.planRedact': spec({
    type: 'mutation',
    scopes: ['privacy'],
    input: PlanRedactInput,
    output: Plan,
    summary: 'What erasing chosen fields of the records that a filter selects would change.',
  }),
  'privacy.applyRedact': spec({
    type: 'mutation',
    scopes: ['privacy'],
    input: ApplyInput,
    output: Job,
    summary: 'Start the job of a redact plan, unless the world has moved since.',
  }),
  'hold.create': spec({
    type: 'mutation',
    scopes: ['privacy'],
    input: HoldCreateInput,
    output: Hold,
    summary: 'Keep what a filter or a person matches from being erased or purged, until it is released.',
  }),
  'hold.list': spec({
    type: 'query',
    scopes: ofJobs,
    input: HoldListInput,
    output: HoldListResult,
    summary: 'The active holds, then the released ones, the newest of each first.',
  }),
  'hold.release': spec({
    type: 'mutation',
    scopes: ['privacy'],
    input: HoldReleaseInput,
    output: Hold,
    summary: 'End a hold; what it was over is forgotten.',
  }),
  'privacy.certificate': spec({
    type: 'query',
    scopes: ofJobs,
    input: CertificateInput,
    output: CertificateResult,
    summary: 'The account of an erasure or purge that has ended, for a key with the scope of its kind.',
  }),
  'retention.policies': spec({
    type: 'query',
    scopes: ['retention'],
    input: TenantInput,
    output: PoliciesResult,
    summary: 'The retention policies, in the order in which they decide.',
  }),
  'retention.setPolicies': spec({
    type: 'mutation',
    scopes: ['retention'],
    input: PoliciesInput,
    output: PoliciesResult,
    summary: 'Replace the retention policies. Nothing is purged until a plan is applied.',
  }),
  'retention.plan': spec({
    type: 'mutation',
    scopes: ['retention'],
    input: TenantInput,
    output: Plan,
    summary: 'What the policies would purge now.',
  }),
  // `apply` alone is a name that tRPC keeps for itself.
  'retention.applyPlan': spec({
    type: 'mutation',
    scopes: ['retention'],
    input: ApplyInput,
    output: Job,
    summary: 'Start the job of a retention plan, unless the world has moved since.',
  }),
  'rollup.check': spec({
    type: 'mutation',
    scopes: ['admin'],
    input: RollupCheckInput,
    output: RollupCheckResult,
    summary:
      'Compare the counts that stats are answered from with the activities, for about 2 s; repair them if asked.',
  }),
  'job.get': spec({
    type: 'query',
    scopes: ofJobs,
    input: JobInput,
    output: Job,
    summary: 'One job, for a key with the scope of its kind.',
  }),
  'job.list': spec({
    type: 'query',
    scopes: ofJobs,
    input: JobListInput,
    output: JobListResult,
    summary: 'The newest jobs of the kinds whose scope the key has.',
  }),
  'job.cancel': spec({
    type: 'mutation',
    scopes: ofJobs,
    input: JobInput,
    output: Job,
    summary: 'Stop a job after the chunk in hand; what it has done stays done.',
  }),
  'job.resume': spec({
    type: 'mutation',
    scopes: ofJobs,
    input: JobInput,
    output: Job,
    summary: 'Go on with a failed or interrupted job from its last committed chunk.',
  }),
  'job.watch': spec({
    type: 'subscription',
    scopes: ofJobs,
    input: JobInput,
    output: Job,
    summary: 'The job whenever it has moved, until it ends (server-sent events).',
  }),
  'key.create': spec({
    type: 'mutation',
    scopes: ['admin'],
    input: KeyCreateInput,
    output: KeyCreateResult,
    summary: 'Make an API key with scopes that the caller has; its secret is shown this once.',
  }),
  'key.list': spec({
    type: 'query',
    scopes: ['admin'],
    input: KeyListInput,
    output: KeyListResult,
    summary: 'The keys, revoked ones included, by their prefix.',
  }),
  'key.revoke': spec({
    type: 'mutation',
    scopes: ['admin'],
    input: KeyRevokeInput,
    output: ApiKey,
    summary: 'End a key at once.',
  }),
  'key.current': spec({
    type: 'query',
    scopes: [],
    input: z.strictObject({}),
    output: ApiKey,
    summary: 'The key that makes this call.',
  }),
  'tenant.list': spec({
    type: 'query',
    scopes: ['admin'],
    input: z.strictObject({}),
    output: TenantListResult,
    summary: 'The tenants that the key may name: all, or its own.',
  }),
  'tenant.create': spec({
    type: 'mutation',
    scopes: ['admin'],
    input: TenantCreateInput,
    output: Tenant,
    summary: "Make a tenant; for a deployment's key only.",
  }),
} as const;

export type ProcedureName = keyof typeof procedures;
/** What a caller passes, and what comes back, by procedure. */
export type ProcedureInput<Name extends ProcedureName> = z.input<(typeof procedures)[Name]['input']>;
export type ProcedureOutput<Name extends ProcedureName> = z.output<(typeof procedures)[Name]['output']>;
