/**
 * A function that runs with the owner's rights. Its search path is pinned so that no caller can redirect it, and
 * so is the form of times: bounds of partitions are written and read as text.
 */
function ownerFunction(signature: string, returns: string, body: string): string {
  return `create function annals.${signature} returns ${returns}
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    set timezone = 'UTC' set datestyle = 'ISO' as $function$${body}$function$`;
}

/** What the runtime roles borrow of the owner. */
export const functions: readonly string[] = [
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
      -- Not among what LIKE copies.
      execute format('alter table annals.%I %s', name, (
        select string_agg(format('alter column %I set statistics 0', attname), ', ')
        from pg_attribute where attrelid = 'annals.activity'::regclass and attnum > 0 and attstattarget = 0));
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
  // Dropped only when it has no row of another tenant and none that a look at it, of which the caller tells the time,
  // did not see; else the answer is false, as it is when the lock cannot be had at once: whoever waits for it makes
  // all others wait. To count the rows again would take as long as there are many, so that it asks the batches: one
  // that came later is sequenced behind what the log had before the look, or is not sequenced yet, and is none of those
  // that were `seen` without a place. What goes is listed in the manifest while the others go on; then the parent is locked
  // first, as inserts do, so that the two cannot wait for each other. Of a batch that lies within the month all goes,
  // so that its row tells, and the partition is read for the others only.
  ownerFunction(
    `drop_activity_partition(partition_name text, tenant text, looked_epoch int default 0,
      looked_size bigint default 0, seen uuid[] default '{}', manifest uuid default null)`,
    'boolean',
    `
    declare
      first timestamptz;
      least_tenant text;
      greatest_tenant text;
      is_fresh boolean;
    begin
      if partition_name !~ '^activity_[0-9]{6}$' then
        raise exception 'not a partition of activity: %', partition_name;
      end if;
      first := to_timestamp(right(partition_name, 6), 'YYYYMM');
      begin
        set local lock_timeout = '2s';
        if to_regclass(format('annals.%I', partition_name)) is null then return false; end if;
        -- Only vacuum has to go for this one; it does, when it is waited for. Nobody else drops the partition then.
        execute format('lock table annals.%I in share update exclusive mode', partition_name);
        if manifest is not null then
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
        lock table only annals.activity in access exclusive mode;
        -- Copies go past the parent, and may want it after the partition: they are not waited for.
        execute format('lock table annals.%I in access exclusive mode nowait', partition_name);
        execute format('select min(tenant_id), max(tenant_id) from annals.%I', partition_name)
          into least_tenant, greatest_tenant;
        execute format(
          'select exists (
            select from annals.batch b
            where b.tenant_id = $1 and b.first_index is not null and (b.epoch, b.first_index) >= ($2, $3)
              and b.id <> all ($4)
              and exists (select from annals.%1$I a where a.tenant_id = $1 and a.batch_id = b.id)
          ) or exists (
            select from annals.batch b
            where b.tenant_id = $1 and b.first_index is null and b.id <> all ($4)
              and exists (select from annals.%1$I a where a.tenant_id = $1 and a.batch_id = b.id)
          )', partition_name)
          into is_fresh using tenant, looked_epoch, looked_size, seen;
        if least_tenant <> tenant or greatest_tenant <> tenant or is_fresh then
          raise exception using errcode = 'AN001';
        end if;
        execute format('drop table annals.%I', partition_name);
        return true;
      -- What was listed is not, then.
      exception when lock_not_available or undefined_table or sqlstate 'AN001' then
        return false;
      end;
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
  // Tenants whose log has grown beyond where a consumer of it has come: by so many activities, or the consumer has not
  // moved since then.
  ownerFunction(
    'find_behind(follower_name text, tenants_max int, activities_min bigint, moved_before timestamptz)',
    'table (tenant_id text, since timestamptz)',
    ` begin
      return query select l.tenant_id, l.sequenced_at from annals.log l
        left join annals.follower f on f.tenant_id = l.tenant_id and f.name = follower_name
        where l.size > 0
          and l.epoch = (select max(e.epoch) from annals.log e where e.tenant_id = l.tenant_id)
          and (f.epoch is null or (f.epoch, f.next_index) < (l.epoch, l.size))
          and (f.epoch is null or f.epoch < l.epoch or f.moved_at <= moved_before
            or l.size - f.next_index >= activities_min)
        order by coalesce(f.moved_at, l.sequenced_at) limit tenants_max;
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
export const tenantOfCopies: readonly string[] = [
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
