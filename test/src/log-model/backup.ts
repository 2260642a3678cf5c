import type { Client } from 'pg';

const tables = [
  'activity',
  'batch',
  'log',
  'tile',
  'checkpoint',
  'manifest',
  'erasure_item',
  'purge_item',
  'hold',
  'plan',
  'job',
  'policy',
] as const;

/** All that the database holds of one tenant at a time, as a backup would. */
export interface TenantBackup {
  readonly batchIds: ReadonlySet<string>;
  /** Epoch and size of each checkpoint. */
  readonly checkpoints: ReadonlySet<string>;
  /** The log that it holds in its newest epoch; epoch 0 where it holds none. */
  readonly log: { readonly epoch: number; readonly size: number };
  restore(): Promise<void>;
}

export async function backUp(admin: Client, tenantId: string): Promise<TenantBackup> {
  const saved = new Map<string, unknown[]>();
  for (const table of tables) {
    const { rows } = await admin.query<{ row: unknown }>(
      `select to_jsonb(t) as row from annals.${table} t where tenant_id = $1`,
      [tenantId],
    );
    saved.set(
      table,
      rows.map(({ row }) => row),
    );
  }
  const rowsOf = (table: string) => (saved.get(table) ?? []) as Record<string, unknown>[];
  const logs = rowsOf('log')
    .map((row) => ({ epoch: Number(row['epoch']), size: Number(row['size']) }))
    .toSorted((a, b) => a.epoch - b.epoch);
  return {
    batchIds: new Set(rowsOf('batch').map(({ id }) => String(id))),
    checkpoints: new Set(rowsOf('checkpoint').map((row) => `${String(row['epoch'])}/${String(row['size'])}`)),
    log: logs.at(-1) ?? { epoch: 0, size: 0 },
    restore: () => restore(admin, { tenantId, saved }),
  };
}

async function restore(
  admin: Client,
  { tenantId, saved }: { readonly tenantId: string; readonly saved: ReadonlyMap<string, unknown[]> },
): Promise<void> {
  const times = (saved.get('activity') ?? []) as { occurred_at: string }[];
  for (const month of new Set(times.map(({ occurred_at }) => occurred_at.slice(0, 7)))) {
    await admin.query('select annals.create_activity_partition($1)', [`${month}-15T00:00:00Z`]);
  }
  await admin.query('begin');
  for (const table of tables) {
    await admin.query(`delete from annals.${table} where tenant_id = $1`, [tenantId]);
    await admin.query(
      `insert into annals.${table} select * from jsonb_populate_recordset(null::annals.${table}, $1::jsonb)`,
      [JSON.stringify(saved.get(table))],
    );
  }
  await admin.query('commit');
}
