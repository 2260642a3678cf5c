import type {
  Activity,
  ActivityInput,
  ApiKey,
  CertificateResult,
  CheckpointResult,
  ConsistencyResult,
  CountResult,
  FacetsResult,
  Hold,
  Job,
  KeyCreateResult,
  LogResult,
  Plan,
  ProcedureInput,
  ProcedureName,
  ProofResult,
  RetentionPolicy,
  RollupCheckResult,
  StatsResult,
  SummaryResult,
  Tenant,
} from '@annals/contract';
import type { ActivityExport } from './export.ts';
import type { ActivityImport, ImportOptions, ImportSource } from './import.ts';
import type { ActivityList, ListOptions, Selection } from './list.ts';
import type { LoggedActivity, LogOptions } from './log.ts';
import type { CallOptions } from './options.ts';
import type { ActivityTail, TailOptions } from './tail.ts';
import type { VerifyOptions, VerifyReport } from './verify.ts';

/** A procedure's input; the tenant is the client's or the call's option. */
export type InputOf<Name extends ProcedureName> = Omit<ProcedureInput<Name>, 'tenantId'>;

export interface Annals {
  /**
   * Store one activity. Its id and time are given before the first attempt, so that attempts made again are
   * the same activity; the caller's object is copied.
   * What comes back is its receipt: keep it, and `annals verify` tells whether the log has the activity. With
   * `ack: 'sequenced'` it comes with the signed checkpoint and the proof, if those are there within 10 s.
   * Errors  the reason for which it was refused.
   */
  log(activity: ActivityInput, options?: LogOptions): Promise<LoggedActivity>;
  /** Store any number of activities, in calls of at most 1,000 and 4 MiB; tells of each what became of it. */
  logMany(activities: readonly ActivityInput[], options?: LogOptions): Promise<LogResult>;
  /**
   * Store activities without a bound on their number, in one call that is read as fast as it is stored: for backfills.
   * `for await (const line of annals.import(source))` tells what became of each, in order, `totals()` of all.
   * It is not tried again, for a source is read but once. Importing the same once more is safe where activities have
   * an `id`, or an `idempotencyKey` and a time.
   */
  import(source: ImportSource, options?: ImportOptions): ActivityImport;
  /** One activity. Errors `not_found`. */
  get(id: string, options?: CallOptions): Promise<Activity>;
  /** What a filter or a query text selects, in time order: `for await (const activity of annals.list())`. */
  list(selection?: Selection, options?: ListOptions): ActivityList;
  /**
   * As `list`, for taking all of them out: in one answer, which is gone on with where it breaks off, and read as fast as
   * it is used. That it was done is itself recorded.
   */
  export(selection?: Selection, options?: ListOptions): ActivityExport;
  /**
   * What a filter or a query text selects as it comes into the log, in its order, until the loop is left:
   * `for await (const activity of annals.tail('action:invoice.*'))`. Survives broken connections, each activity being
   * told once; with its cursor, restarts of the program too.
   */
  tail(selection?: Selection, options?: TailOptions): ActivityTail;
  /**
   * The bytes of an audit bundle: all activities with what proves them, for `annals verify`. Needs the scopes
   * `export` and `personal:read`; that it was done is itself recorded.
   */
  bundle(options?: CallOptions): AsyncIterable<Uint8Array>;
  /** How many; up to 10,000. */
  count(selection?: Selection, options?: CallOptions): Promise<CountResult>;
  /**
   * Counts by up to three dimensions, and by hour, day, week or month of a time zone. Exact without `estimate`, which
   * says since when the activities were counted where there were too many.
   */
  stats(input: InputOf<'activity.stats'>, options?: CallOptions): Promise<StatsResult>;
  /** The top values of fields, each under the filter's other fields. */
  facets(input: InputOf<'activity.facets'>, options?: CallOptions): Promise<FacetsResult>;
  /** One actor at a glance. */
  summary(input: InputOf<'activity.summary'>, options?: CallOptions): Promise<SummaryResult>;
  /**
   * Prove that an activity, as it was read, is what was committed when it was stored, and that it stands in a log
   * that the policy trusts. The server is asked for proofs, and believed nothing.
   * Errors  VerifyError where that does not hold; `not_signed` while no checkpoint covers the activity.
   */
  verify(activity: Activity | string, options: VerifyOptions): Promise<VerifyReport>;
  readonly integrity: Integrity;
  readonly privacy: Privacy;
  readonly holds: Holds;
  readonly retention: Retention;
  readonly rollups: Rollups;
  readonly jobs: Jobs;
  readonly keys: Keys;
  readonly tenants: Tenants;
}

/** The tenant's log, for those who check it themselves; all hashes are base64. */
export interface Integrity {
  /** The newest signed one. Errors `not_found` before the first. */
  checkpoint(
    options?: CallOptions & { readonly epoch?: number | undefined; readonly size?: number | undefined },
  ): Promise<CheckpointResult>;
  /** That one activity stands in the newest checkpoint. Errors `not_signed` while none covers it. */
  proof(id: string, options?: CallOptions): Promise<ProofResult>;
  /** That the log of `from` entries is how that of `to` entries begins. */
  consistency(input: InputOf<'integrity.consistency'>, options?: CallOptions): Promise<ConsistencyResult>;
  /** The bytes of a tile or of a bundle of entries, by its path of C2SP tlog-tiles, as base64. */
  tile(path: string, options?: CallOptions & { readonly epoch?: number | undefined }): Promise<string>;
}

/** Erasing: a plan says what would change, applying it starts a job. */
export interface Privacy {
  planAnonymize(input: InputOf<'privacy.planAnonymize'>, options?: CallOptions): Promise<Plan>;
  applyAnonymize(input: InputOf<'privacy.applyAnonymize'>, options?: CallOptions): Promise<Job>;
  planRedact(input: InputOf<'privacy.planRedact'>, options?: CallOptions): Promise<Plan>;
  applyRedact(input: InputOf<'privacy.applyRedact'>, options?: CallOptions): Promise<Job>;
  /** The account of an erasure or purge that has ended; `annals verify --certificate` checks it. */
  certificate(jobId: string, options?: CallOptions): Promise<CertificateResult>;
}

/** Keeping from erasing and purging what a filter or a person matches. */
export interface Holds {
  create(input: InputOf<'hold.create'>, options?: CallOptions): Promise<Hold>;
  /** The active ones, then those released, the newest of each first. */
  list(options?: CallOptions & { readonly limit?: number | undefined }): Promise<Hold[]>;
  /** What it was over is forgotten; the reason is kept with it. */
  release(id: string, options?: CallOptions & { readonly reason?: string | undefined }): Promise<Hold>;
}

/** Purging what has been kept long enough. */
export interface Retention {
  policies(options?: CallOptions): Promise<RetentionPolicy[]>;
  /** Replace them all; the first that matches an activity decides. */
  setPolicies(
    policies: InputOf<'retention.setPolicies'>['policies'],
    options?: CallOptions,
  ): Promise<RetentionPolicy[]>;
  plan(options?: CallOptions): Promise<Plan>;
  apply(input: InputOf<'retention.applyPlan'>, options?: CallOptions): Promise<Job>;
}

/** The counts that stats are answered from. */
export interface Rollups {
  /**
   * Compare them with the activities, for about 2 s, and with `repair` count anew what differs; `next` says where to go
   * on.
   */
  check(input?: InputOf<'rollup.check'>, options?: CallOptions): Promise<RollupCheckResult>;
}

export interface Jobs {
  get(id: string, options?: CallOptions): Promise<Job>;
  /** The newest. */
  list(options?: CallOptions & { readonly limit?: number | undefined }): Promise<Job[]>;
  /** Stop it after the chunk in hand; what it has done stays done. */
  cancel(id: string, options?: CallOptions): Promise<Job>;
  /** Go on with one that failed or was interrupted. */
  resume(id: string, options?: CallOptions): Promise<Job>;
  /** The job as it is, then whenever it has moved, until it ends; survives broken connections. */
  watch(id: string, options?: CallOptions): AsyncIterable<Job>;
}

export interface Keys {
  /** The secret is shown this once. */
  create(input: InputOf<'key.create'>, options?: CallOptions): Promise<KeyCreateResult>;
  list(options?: CallOptions): Promise<ApiKey[]>;
  /** End a key at once. */
  revoke(id: string, options?: CallOptions): Promise<ApiKey>;
  /** The key of this client. */
  current(options?: Pick<CallOptions, 'signal'>): Promise<ApiKey>;
}

/** For keys of the deployment. */
export interface Tenants {
  list(options?: Pick<CallOptions, 'signal'>): Promise<Tenant[]>;
  create(input: ProcedureInput<'tenant.create'>, options?: Pick<CallOptions, 'signal'>): Promise<Tenant>;
}
