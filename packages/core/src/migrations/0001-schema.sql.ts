/** Statements of the first migration, in order; run by `annals_owner` in its own schema `annals`. */

const types = [
  `create type annals.activity_kind as enum ('activity', 'auth', 'data_access', 'data_change', 'api_call', 'external_call', 'system')`,
  `create type annals.activity_operation as enum ('create', 'read', 'update', 'delete')`,
  `create type annals.activity_severity as enum ('info', 'warning', 'error', 'critical')`,
  `create type annals.activity_outcome as enum ('success', 'failure', 'denied', 'unknown')`,
  `create type annals.activity_visibility as enum ('internal', 'client', 'system')`,
  `create type annals.activity_actor_type as enum ('user', 'system', 'worker', 'integration', 'anonymous')`,
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

/** As MikroORM derives it from the tenant filter. Without the setting a query fails. Not forced: the owner's functions below must see all tenants, and no runtime role is the owner. */
function tenantPolicy(table: string, column: string): string[] {
  return [
    `alter table annals.${table} enable row level security`,
    `create policy ${table}_tenant_policy on annals.${table} using (${column} = current_setting('annals.tenant_id'))`,
  ];
}

const policies = [
  ...[
    'api_key',
    'activity',
    'batch',
    'log',
    'tile',
    'checkpoint',
    'manifest',
    'erasure_item',
    'purge_item',
    'follower',
    'rollup_cell',
    'rollup',
    'hold',
    'plan',
    'job',
    'policy',
  ].flatMap((table) => tenantPolicy(table, 'tenant_id')),
  ...tenantPolicy('tenant', 'id'),
];

/**
 * A function that runs with the owner's rights. Its search path is pinned so that no caller can redirect it, and
 * so is the form of times: bounds of partitions are written and read as text.
 */
function ownerFunction(signature: string, returns: string, body: string): string {
  return `create function annals.${signature} returns ${returns}
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    set timezone = 'UTC' set datestyle = 'ISO' as $function$${body}$function$`;
}

const functions = [
  // Authentication comes before the tenant is known, so it cannot pass row-level security.
  ownerFunction(
    'find_api_key(key_id text)',
    'setof annals.api_key',
    ` begin return query select k.* from annals.api_key k where k.id = key_id; end `,
  ),
  ownerFunction(
    'list_tenants()',
    'setof annals.tenant',
    ` begin return query select t.* from annals.tenant t order by t.id; end `,
  ),
  // Created apart and then attached: attaching does not block writers of other months, as PARTITION OF would.
  ownerFunction(
    'create_activity_partition(moment timestamptz)',
    'text',
    `
    declare
      first timestamp := date_trunc('month', moment at time zone 'UTC');
      name text := 'activity_' || to_char(first, 'YYYYMM');
    begin
      if first < timestamp '1970-01-01' or first >= timestamp '9999-12-01' then
        raise exception 'no partition for %', first using errcode = 'datetime_field_overflow';
      end if;
      perform pg_advisory_xact_lock(hashtext('annals.create_activity_partition'));
      if to_regclass(format('annals.%I', name)) is not null then return name; end if;
      execute format('create table annals.%I (like annals.activity)', name);
      execute format(
        'alter table annals.activity attach partition annals.%I for values from (%L) to (%L)',
        name, first at time zone 'UTC', (first + interval '1 month') at time zone 'UTC');
      -- For COPY, which row-level security forbids on the whole; the trigger holds its rows to the tenant.
      execute format('grant insert on annals.%I to annals_app', name);
      return name;
    end `,
  ),
  // Partitions in which no other tenant has a row: only those can be dropped for this one.
  ownerFunction(
    'sole_tenant_partitions(tenant text)',
    'setof text',
    `
    declare
      name text;
      shared boolean;
    begin
      for name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'annals.activity'::regclass order by c.relname
      loop
        execute format(
          'select exists (select from annals.%1$I where tenant_id < $1)
            or exists (select from annals.%1$I where tenant_id > $1)', name)
          into shared using tenant;
        if not shared then return next name; end if;
      end loop;
    end `,
  ),
  // Dropped only when its rows are just the \`expected\` ones of one tenant, all recorded by then; else the answer
  // is false, as it is when the lock cannot be had at once: whoever waits for it makes all others wait. The
  // parent is locked first, as inserts do, so that the two cannot wait for each other. What goes is listed in the
  // manifest: here, since nobody else may read the partition between its count and its end. Of a batch that lies
  // within the month all goes, so that its row tells, and the partition is read for the others only.
  ownerFunction(
    `drop_activity_partition(partition_name text, tenant text, expected bigint,
      recorded_until timestamptz default 'infinity', manifest uuid default null)`,
    'boolean',
    `
    declare
      total bigint;
      own bigint;
      first timestamptz;
    begin
      if partition_name !~ '^activity_[0-9]{6}$' then
        raise exception 'not a partition of activity: %', partition_name;
      end if;
      begin
        set local lock_timeout = '2s';
        if to_regclass(format('annals.%I', partition_name)) is null then return false; end if;
        -- Only vacuum has to go for this one; it does, when it is waited for.
        execute format('lock table annals.%I in share update exclusive mode', partition_name);
        lock table only annals.activity in access exclusive mode;
        -- Copies go past the parent, and may want it after the partition: they are not waited for.
        execute format('lock table annals.%I in access exclusive mode nowait', partition_name);
      exception when lock_not_available or undefined_table then
        return false;
      end;
      execute format(
        'select count(*), count(*) filter (where tenant_id = $1 and recorded_at <= $2) from annals.%I',
        partition_name)
        into total, own using tenant, recorded_until;
      if total <> expected or own <> expected then return false; end if;
      if manifest is not null then
        first := to_timestamp(right(partition_name, 6), 'YYYYMM');
        execute format(
          'insert into annals.purge_item as i (tenant_id, manifest_id, batch_id, positions)
            select $1, $2, gone.* from (
              select b.id, case
                when b.first_occurred_at >= $3 and b.last_occurred_at < $4 then int4multirange(int4range(0, b.size))
                else (select range_agg(int4range(a.position, a.position + 1)) from annals.%I a
                  where a.tenant_id = $1 and a.batch_id = b.id)
              end as positions
              from annals.batch b
              where b.tenant_id = $1 and b.first_occurred_at < $4 and b.last_occurred_at >= $3
            ) as gone where gone.positions is not null
            on conflict (tenant_id, manifest_id, batch_id) do update set positions = i.positions + excluded.positions',
          partition_name)
          using tenant, manifest, first, first + interval '1 month';
      end if;
      execute format('drop table annals.%I', partition_name);
      return true;
    end `,
  ),
  // The planner's statistics hold sample values, so an erasure is not over until those of the partitions that it
  // changed are made anew, and those of the whole, which nobody makes unless told to.
  ownerFunction(
    'refresh_activity_statistics(partition_names text[])',
    'void',
    `
    declare
      name text;
    begin
      foreach name in array partition_names loop
        if name !~ '^activity_[0-9]{6}$' then raise exception 'not a partition of activity: %', name; end if;
        if to_regclass(format('annals.%I', name)) is not null then execute format('analyze annals.%I', name); end if;
      end loop;
      if exists (select from pg_stats where schemaname = 'annals' and tablename = 'activity') then
        if current_setting('server_version_num')::int >= 180000 then
          execute 'analyze only annals.activity';
        else
          execute 'analyze annals.activity';
        end if;
      end if;
    end `,
  ),
  // Maintenance is for all tenants at once, which row-level security shows to nobody else.
  ownerFunction(
    'find_idle_jobs(untouched_since timestamptz)',
    'table (tenant_id text, id uuid)',
    ` begin
      return query select j.tenant_id, j.id from annals.job j
        where j.status in ('queued', 'running') and j.updated_at < untouched_since order by j.updated_at;
    end `,
  ),
  // The sequencer and the signer serve all tenants. One look at the index for each tenant: there can be millions of
  // batches of one, and the first in the order of their ids is the oldest.
  ownerFunction(
    'find_unsequenced(tenants_max int)',
    'table (tenant_id text, oldest timestamptz)',
    ` begin
      return query
        with recursive waiting (id, since) as (
          (select b.tenant_id, b.recorded_at from annals.batch b
            where b.first_index is null order by b.tenant_id, b.id limit 1)
          union all
          select next.tenant_id, next.recorded_at from waiting, lateral (
            select b.tenant_id, b.recorded_at from annals.batch b
            where b.first_index is null and b.tenant_id > waiting.id order by b.tenant_id, b.id limit 1) as next
        )
        select waiting.id, waiting.since from waiting order by 2 limit tenants_max;
    end `,
  ),
  ownerFunction(
    'find_unsigned(tenants_max int)',
    'table (tenant_id text, epoch int, size bigint, sequenced_at timestamptz)',
    ` begin
      return query select l.tenant_id, l.epoch, l.size, l.sequenced_at from annals.log l
        where l.size > 0
          and l.epoch = (select max(e.epoch) from annals.log e where e.tenant_id = l.tenant_id)
          and not exists (
            select from annals.checkpoint c
            where c.tenant_id = l.tenant_id and c.epoch = l.epoch and c.size >= l.size)
        order by l.sequenced_at limit tenants_max;
    end `,
  ),
  // Those of purges do not mix runs, so that they are sealed without waiting for others.
  // Whether a signer's keys are those of this database; any checkpoint tells.
  ownerFunction(
    'find_verifier_keys()',
    'text[]',
    ` begin return (select c.verifier_keys from annals.checkpoint c limit 1); end `,
  ),
  ownerFunction(
    'find_open_manifests(opened_before timestamptz)',
    'table (tenant_id text, id uuid)',
    ` begin
      return query select m.tenant_id, m.id from annals.manifest m
        where m.sealed_at is null and (m.opened_at <= opened_before or m.kind = 'purge') order by m.opened_at;
    end `,
  ),
  // Tenants whose log has grown beyond where a consumer of it has come.
  ownerFunction(
    'find_behind(follower_name text, tenants_max int)',
    'table (tenant_id text, since timestamptz)',
    ` begin
      return query select l.tenant_id, l.sequenced_at from annals.log l
        left join annals.follower f on f.tenant_id = l.tenant_id and f.name = follower_name
        where l.size > 0
          and l.epoch = (select max(e.epoch) from annals.log e where e.tenant_id = l.tenant_id)
          and (f.epoch is null or (f.epoch, f.next_index) < (l.epoch, l.size))
        order by l.sequenced_at limit tenants_max;
    end `,
  ),
  // How far the logs of some tenants go, for who tells their readers: one look, however many tenants are read.
  ownerFunction(
    'log_sizes(tenants text[])',
    'table (tenant_id text, epoch int, size bigint)',
    ` begin
      return query select l.tenant_id, l.epoch, l.size from annals.log l
        where l.tenant_id = any(tenants) order by l.tenant_id, l.epoch;
    end `,
  ),
  ownerFunction(
    'delete_expired_plans(moment timestamptz)',
    'void',
    ` begin delete from annals.plan p where p.status = 'open' and p.expires_at <= moment; end `,
  ),
];

/**
 * The tenant policy once more, for COPY: that is forbidden under row-level security, so that the app copies into
 * partitions, where no policy holds (docs/adr/0013). Before the row is written, so that not even a key that is taken
 * tells of another tenant. Whoever is not under row-level security may write any row, as a restore does.
 */
const tenantOfCopies = [
  `create function annals.refuse_other_tenant() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp as $function$
    begin
      if row_security_active('annals.activity') then
        raise exception 'new row violates row-level security: it belongs to another tenant'
          using errcode = 'insufficient_privilege';
      end if;
      return new;
    end $function$`,
  `create trigger activity_tenant before insert on annals.activity for each row
    when (new.tenant_id is distinct from current_setting('annals.tenant_id', true))
    execute function annals.refuse_other_tenant()`,
];

const grants = [
  `revoke all on all functions in schema annals from public`,
  `grant usage on schema annals to annals_app, annals_custodian`,
  `grant execute on function annals.find_api_key(text), annals.list_tenants() to annals_app`,
  `grant execute on function annals.create_activity_partition(timestamptz) to annals_app, annals_custodian`,
  `grant execute on function annals.drop_activity_partition(text, text, bigint, timestamptz, uuid), annals.refresh_activity_statistics(text[]) to annals_custodian`,
  `grant execute on function annals.sole_tenant_partitions(text), annals.find_idle_jobs(timestamptz), annals.delete_expired_plans(timestamptz) to annals_app`,
  `grant execute on function annals.sole_tenant_partitions(text) to annals_custodian`,
  `grant execute on function annals.find_unsequenced(int), annals.find_unsigned(int), annals.find_verifier_keys(), annals.find_open_manifests(timestamptz) to annals_app`,
  // Grants stand on the partitioned parent only: a partition queried directly would escape its policy. The app
  // may insert into partitions besides, where a trigger does what the policy does.
  `grant select, insert on annals.activity, annals.batch to annals_app, annals_custodian`,
  `grant update, delete on annals.activity to annals_custodian`,
  // The log is written by the custodian alone, so that what can only append and read cannot rewrite it.
  `grant select on annals.log, annals.tile, annals.checkpoint, annals.manifest, annals.erasure_item, annals.purge_item to annals_app`,
  `grant select, insert, update on annals.log, annals.checkpoint, annals.manifest, annals.erasure_item, annals.purge_item to annals_custodian`,
  `grant select, insert on annals.tile to annals_custodian`,
  `grant update (epoch, first_index, leaves) on annals.batch to annals_custodian`,
  `grant execute on function annals.find_behind(text, int), annals.log_sizes(text[]) to annals_app`,
  // Counts are the custodian's too: what it erases and purges it takes out of them in the same transaction.
  `grant select on annals.follower, annals.rollup_cell, annals.rollup to annals_app`,
  `grant select, insert, update, delete on annals.follower, annals.rollup_cell, annals.rollup to annals_custodian`,
  `grant select, insert on annals.hold to annals_app`,
  `grant update (request, released_at, released_by, release_reason) on annals.hold to annals_app`,
  `grant select, update (name, release_reason) on annals.hold to annals_custodian`,
  `grant select, insert on annals.tenant to annals_app`,
  `grant select, insert on annals.api_key, annals.plan, annals.job to annals_app`,
  // What a key may do, what a plan is for and what a job has done stay as they are.
  `grant update (revoked_at) on annals.api_key to annals_app`,
  `grant update (status, request, summary) on annals.plan to annals_app`,
  `grant update (status, cancel_requested, cursor, error, completed_id, updated_at, ended_at) on annals.job to annals_app`,
  `grant select, insert, update, delete on annals.policy to annals_app`,
  `grant select on annals.tenant, annals.policy to annals_custodian`,
  `grant select, update, delete on annals.plan to annals_custodian`,
  `grant select, update on annals.job to annals_custodian`,
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
