/** Statements of the first migration, in order; run by `annals_owner` in its own schema `annals`. */
import { grants, policies } from './0001-access.sql.ts';
import { functions, tenantOfCopies } from './0001-functions.sql.ts';

const types = [
  `create type annals.activity_kind as enum ('activity', 'auth', 'data_access', 'data_change', 'api_call', 'external_call', 'system')`,
  `create type annals.activity_operation as enum ('create', 'read', 'update', 'delete')`,
  `create type annals.activity_severity as enum ('info', 'warning', 'error', 'critical')`,
  `create type annals.activity_outcome as enum ('success', 'failure', 'denied', 'unknown')`,
  `create type annals.activity_visibility as enum ('internal', 'client', 'system')`,
  `create type annals.activity_actor_type as enum ('user', 'system', 'worker', 'integration', 'anonymous')`,
];

const unplanned = [
  'actor_label',
  'target_label',
  'channel',
  'source',
  'message',
  'reason',
  'ip',
  'user_agent',
  'request_id',
  'session_id',
  'trace_id',
  'span_id',
  'tags',
  'metadata',
  'details',
  'erased',
  'seed',
  'openings',
];

const activity = [
  `create table annals.activity (
    tenant_id text not null,
    occurred_at timestamptz(3) not null,
    id uuid not null,
    batch_id uuid not null,
    position int not null,
    recorded_at timestamptz(3) not null,
    scope_id text null,
    action text not null,
    kind annals.activity_kind not null,
    operation annals.activity_operation null,
    severity annals.activity_severity not null,
    outcome annals.activity_outcome not null,
    visibility annals.activity_visibility not null,
    actor_type annals.activity_actor_type not null,
    actor_id text null,
    actor_label text null,
    subject_id text null,
    target_type text null,
    target_id text null,
    target_label text null,
    channel text null,
    source text null,
    message text null,
    reason text null,
    ip text null,
    user_agent text null,
    request_id text null,
    session_id text null,
    trace_id text null,
    span_id text null,
    tags text[] not null,
    metadata jsonb not null,
    details jsonb null,
    erased text[] null,
    own boolean not null,
    seed bytea null,
    openings bytea null,
    constraint activity_pkey primary key (tenant_id, occurred_at, id)
  ) partition by range (occurred_at)`,
  // The planner chooses by none of these: samples of them would cost more than half of what an erasure spends on
  // statistics, and what is not sampled need not be forgotten.
  `alter table annals.activity ${unplanned.map((column) => `alter column ${column} set statistics 0`).join(', ')}`,
  `create index activity_actor_idx on annals.activity (tenant_id, actor_id, occurred_at, id)`,
  `create index activity_target_idx on annals.activity (tenant_id, target_id, occurred_at, id)`,
  `create index activity_action_idx on annals.activity (tenant_id, action, occurred_at, id)`,
  `create index activity_batch_idx on annals.activity (tenant_id, batch_id)`,
  `create index activity_subject_idx on annals.activity (tenant_id, subject_id, occurred_at, id) where subject_id is not null`,
  `create index activity_severe_idx on annals.activity (tenant_id, occurred_at, id) where severity >= 'error'`,
  `create index activity_failed_idx on annals.activity (tenant_id, occurred_at, id) where outcome <> 'success'`,
];

const tables = [
  `create table annals.tenant (id text not null primary key, name text not null, created_at timestamptz(3) not null)`,
  `create table annals.api_key (
    tenant_id text not null,
    id text not null,
    name text not null,
    secret_hash bytea not null,
    scopes text[] not null,
    created_at timestamptz(3) not null,
    expires_at timestamptz(3) null,
    revoked_at timestamptz(3) null,
    primary key (tenant_id, id)
  )`,
  `alter table annals.api_key add constraint api_key_id_unique unique (id)`,
  `create table annals.batch (
    tenant_id text not null,
    id uuid not null,
    size int not null,
    recorded_at timestamptz(3) not null,
    first_occurred_at timestamptz(3) not null,
    last_occurred_at timestamptz(3) not null,
    root bytea not null,
    leaves bytea null,
    epoch int null,
    first_index bigint null,
    primary key (tenant_id, id)
  )`,
  // Hashes do not compress; trying costs time.
  `alter table annals.batch alter column leaves set storage external`,
  `create index batch_unsequenced_idx on annals.batch (tenant_id, id) where first_index is null`,
  `create unique index batch_index_idx on annals.batch (tenant_id, epoch, first_index) where first_index is not null`,
  `create table annals.log (
    tenant_id text not null,
    epoch int not null,
    size bigint not null,
    root bytea not null,
    edge bytea[] not null,
    sequenced_at timestamptz(3) not null,
    primary key (tenant_id, epoch)
  )`,
  `create table annals.tile (
    tenant_id text not null,
    epoch int not null,
    level int not null,
    index bigint not null,
    hashes bytea not null,
    primary key (tenant_id, epoch, level, index)
  )`,
  `alter table annals.tile alter column hashes set storage external`,
  `create table annals.checkpoint (
    tenant_id text not null,
    epoch int not null,
    size bigint not null,
    root bytea not null,
    note text not null,
    verifier_keys text[] not null,
    signed_at timestamptz(3) not null,
    primary key (tenant_id, epoch, size)
  )`,
  // How far each consumer of the ordered log has come.
  `create table annals.follower (
    tenant_id text not null,
    name text not null,
    epoch int not null,
    next_index bigint not null,
    moved_at timestamptz(3) not null,
    primary key (tenant_id, name)
  )`,
  `create table annals.rollup_cell (
    tenant_id text not null,
    id int not null,
    cube text not null,
    "values" text[] not null,
    primary key (tenant_id, id)
  )`,
  `create unique index rollup_cell_values_idx on annals.rollup_cell (tenant_id, cube, "values")`,
  `create table annals.rollup (
    tenant_id text not null,
    cube text not null,
    day date not null,
    cell int not null,
    slots smallint[] not null,
    counts int[] not null,
    primary key (tenant_id, cube, day, cell)
  )`,
  // Room for the next version of a row on its page: those of today change all day.
  `alter table annals.rollup set (fillfactor = 80)`,
  // Ids of persons stand here: no samples of them in the planner's statistics.
  `alter table annals.rollup_cell alter column "values" set statistics 0`,
  `create table annals.manifest (
    tenant_id text not null,
    id uuid not null,
    kind text not null,
    salt bytea not null,
    opened_at timestamptz(3) not null,
    items bigint null,
    root bytea null,
    activity_id uuid null,
    sealed_at timestamptz(3) null,
    primary key (tenant_id, id)
  )`,
  `create unique index manifest_open_idx on annals.manifest (tenant_id, kind) where sealed_at is null`,
  `create table annals.erasure_item (
    tenant_id text not null,
    manifest_id uuid not null,
    batch_id uuid not null,
    position int not null,
    slot_count int not null,
    slots bytea not null,
    rest bytea not null,
    primary key (tenant_id, manifest_id, batch_id, position)
  )`,
  `create table annals.purge_item (
    tenant_id text not null,
    manifest_id uuid not null,
    batch_id uuid not null,
    positions int4multirange not null,
    primary key (tenant_id, manifest_id, batch_id)
  )`,
  `create table annals.hold (
    tenant_id text not null,
    id uuid not null,
    name text not null,
    request jsonb not null,
    created_at timestamptz(3) not null,
    created_by text not null,
    released_at timestamptz(3) null,
    released_by text null,
    release_reason text null,
    primary key (tenant_id, id)
  )`,
  // These can name a person: no samples of them in the planner's statistics.
  `alter table annals.hold alter column request set statistics 0,
    alter column name set statistics 0, alter column release_reason set statistics 0`,
  `create table annals.plan (
    tenant_id text not null,
    id uuid not null,
    kind text not null,
    status text not null,
    request jsonb not null,
    summary jsonb not null,
    created_at timestamptz(3) not null,
    expires_at timestamptz(3) not null,
    primary key (tenant_id, id)
  )`,
  // Requests and summaries name persons: no samples of them in the planner's statistics.
  `alter table annals.plan alter column request set statistics 0, alter column summary set statistics 0`,
  `create table annals.job (
    tenant_id text not null,
    id uuid not null,
    plan_id uuid not null,
    kind text not null,
    status text not null,
    cancel_requested boolean not null,
    done bigint not null,
    total bigint not null,
    cursor jsonb null,
    result jsonb null,
    error jsonb null,
    requested_id uuid null,
    completed_id uuid null,
    manifest_ids uuid[] null,
    created_at timestamptz(3) not null,
    updated_at timestamptz(3) not null,
    ended_at timestamptz(3) null,
    primary key (tenant_id, id)
  )`,
  `create table annals.policy (
    tenant_id text not null,
    name text not null,
    rank int not null,
    rule jsonb not null,
    primary key (tenant_id, name)
  )`,
];

export const schemaSql: readonly string[] = [
  ...types,
  ...activity,
  ...tables,
  ...policies,
  ...tenantOfCopies,
  ...functions,
  ...grants,
];
