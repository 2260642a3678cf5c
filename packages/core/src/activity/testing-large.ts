import type { Client } from 'pg';

/** For tests: the first of the activities of `loadLarge`. */
const largeSince = new Date('2026-01-01T00:00:00.000Z');

export interface LoadLarge {
  readonly tenants: readonly string[];
  /** Of each of them. */
  readonly records: number;
  /** Milliseconds between two. */
  readonly stepMs: number;
}

/**
 * For tests: activities enough that the planner's statistics decide, with values that are frequent, rare or absent, by
 * a superuser; those of each tenant are the same. Without batches.
 */
export async function loadLarge(admin: Client, { tenants, records, stepMs }: LoadLarge): Promise<void> {
  for (let at = largeSince.getTime(); at < largeSince.getTime() + (records + 1) * stepMs; at += 86_400_000) {
    await admin.query('select annals.create_activity_partition($1)', [new Date(at)]);
  }
  await admin.query(load, [records, tenants, stepMs]);
  await admin.query('vacuum analyze annals.activity');
}

const load = `
  insert into annals.activity (tenant_id, occurred_at, id, batch_id, position, recorded_at, scope_id, action, kind,
    operation, severity, outcome, visibility, actor_type, actor_id, subject_id, target_type, target_id, channel,
    message, request_id, tags, metadata, own)
  select tenant, to_timestamp(ms / 1000.0),
    encode(substring(int8send(ms) from 3) || '\\x7000'::bytea || '\\x80000000'::bytea || int4send(n), 'hex')::uuid,
    gen_random_uuid(), 0, now(), case n % 3 when 0 then 'brand-' || n % 90 end,
    case when n % 5000 = 0 then 'seldom.done' else 'order.' || (array['made', 'paid', 'sent', 'lost'])[1 + n % 4] end,
    case when n % 6000 = 0 then 'auth' else 'activity' end::annals.activity_kind,
    case when n % 5000 = 1 then 'delete' else 'read' end::annals.activity_operation,
    case when n % 5000 = 2 then 'critical' when n % 100 = 0 then 'error' else 'info' end::annals.activity_severity,
    case when n % 5000 = 3 then 'denied' when n % 50 = 0 then 'failure' else 'success' end::annals.activity_outcome,
    case when n % 5000 = 4 then 'client' else 'internal' end::annals.activity_visibility,
    case when n % 5000 = 5 then 'anonymous' else 'user' end::annals.activity_actor_type,
    'usr_' || floor(sqrt(n % 10000)), case when n % 500 = 0 then 'person_' || n % 7 end,
    case when n % 4000 = 0 then 'key' else 'order' end, 'order_' || n % 3000,
    case when n % 5000 = 6 then 'cli' else 'web' end, 'message number ' || n, 'req_' || n,
    case when n % 5000 = 7 then '{rare}' else '{usual}' end::text[], jsonb_build_object('number', n), false
  from (
    select tenant, n, (extract(epoch from timestamptz '2026-01-01 00:00Z') * 1000)::bigint + n * $3::bigint as ms
    from generate_series(0, $1 - 1) as n cross join unnest($2::text[]) as tenant
  ) as drawn`;
