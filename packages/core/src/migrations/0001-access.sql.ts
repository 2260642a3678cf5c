/** As MikroORM derives it from the tenant filter. Without the setting a query fails. Not forced: the owner's functions below must see all tenants, and no runtime role is the owner. */
function tenantPolicy(table: string, column: string): string[] {
  return [
    `alter table annals.${table} enable row level security`,
    `create policy ${table}_tenant_policy on annals.${table} using (${column} = current_setting('annals.tenant_id'))`,
  ];
}

/** Row-level security: every table by its tenant. */
export const policies: readonly string[] = [
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

/** What each runtime role may do; whatever is not here, it may not. */
export const grants: readonly string[] = [
  `revoke all on all functions in schema annals from public`,
  `grant usage on schema annals to annals_app, annals_custodian`,
  `grant execute on function annals.find_api_key(text), annals.list_tenants() to annals_app`,
  `grant execute on function annals.create_activity_partition(timestamptz) to annals_app, annals_custodian`,
  `grant execute on function annals.drop_activity_partition(text, text, int, bigint, uuid[], uuid), annals.refresh_activity_statistics(text[]) to annals_custodian`,
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
  `grant execute on function annals.find_behind(text, int, bigint, timestamptz), annals.log_sizes(text[]) to annals_app`,
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
