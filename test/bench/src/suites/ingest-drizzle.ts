import { type NewActivity, plainRow } from '@annals/core/bench';
import { drizzle } from 'drizzle-orm/node-postgres';
import { boolean, integer, jsonb, pgSchema, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { Pool } from 'pg';

/** What an application writes that inserts each activity with Drizzle. Closed lists are texts to it, as is usual. */
const activityTable = pgSchema('bench_ingest').table('activity', {
  tenantId: text('tenant_id').notNull(),
  occurredAt: timestamp('occurred_at', { precision: 3, withTimezone: true }).notNull(),
  id: uuid().notNull(),
  batchId: uuid('batch_id').notNull(),
  position: integer().notNull(),
  recordedAt: timestamp('recorded_at', { precision: 3, withTimezone: true }).notNull(),
  scopeId: text('scope_id'),
  action: text().notNull(),
  kind: text().notNull(),
  operation: text(),
  severity: text().notNull(),
  outcome: text().notNull(),
  visibility: text().notNull(),
  actorType: text('actor_type').notNull(),
  actorId: text('actor_id'),
  actorLabel: text('actor_label'),
  subjectId: text('subject_id'),
  targetType: text('target_type'),
  targetId: text('target_id'),
  targetLabel: text('target_label'),
  channel: text(),
  source: text(),
  message: text(),
  reason: text(),
  ip: text(),
  userAgent: text('user_agent'),
  requestId: text('request_id'),
  sessionId: text('session_id'),
  traceId: text('trace_id'),
  spanId: text('span_id'),
  tags: text().array().notNull(),
  metadata: jsonb().notNull(),
  details: jsonb(),
  own: boolean().notNull(),
});

export interface DrizzleInsert {
  insert(tenantId: string, activity: NewActivity): Promise<void>;
  close(): Promise<void>;
}

/** Into the table that `openReferences` has made. */
export function openDrizzle(connectionString: string, connections: number): DrizzleInsert {
  const pool = new Pool({ connectionString, max: connections });
  const db = drizzle({ client: pool });
  return {
    insert: async (tenantId, activity) => {
      await db.insert(activityTable).values(plainRow(tenantId, activity));
    },
    close: () => pool.end(),
  };
}
