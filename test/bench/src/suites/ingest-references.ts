import {
  copiedColumns,
  encodeRows,
  type NewActivity,
  openFlusher,
  uncommittedBatch,
  writeInOneTrip,
} from '@annals/core/bench';
import { Client } from 'pg';
import { v7 } from 'uuid';
import type { Call } from '../data/calls.ts';

/** Other ways to write the same records, into a table with the same columns, indexes and partitions. */
export interface References {
  /** By COPY in its binary form, as one transaction. */
  readonly copy: Write;
  /** As one INSERT with many rows. */
  readonly insertMany: Write;
  /** Each by a prepared INSERT that is committed before the next. */
  readonly insertEach: Write;
  /** Each by a flush of MikroORM that is committed before the next. */
  readonly flushEach: Write;
  readonly close: () => Promise<void>;
}

export type Write = (call: Call, connection: number) => Promise<unknown>;

const schema = 'bench_ingest';
const table = `${schema}.activity`;
const columns = copiedColumns.join(', ');

export async function openReferences(url: string, connections: number): Promise<References> {
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  const client = (connection: number) => clients[connection] as Client;
  await createTable(client(0));
  const flusher = await openFlusher(url, { schema, connections });
  return {
    copy: async ({ tenantId, activities }, connection) => {
      const batch = uncommittedBatch(tenantId, activities);
      const rows = encodeRows(batch, { from: 0, to: activities.length });
      const step = { text: `copy ${table} (${columns}) from stdin (format binary)`, rows };
      await writeInOneTrip(client(connection), [{ tenantId, steps: [step] }]);
    },
    insertMany: async ({ tenantId, activities }, connection) => {
      const batchId = v7();
      const values = activities.flatMap((activity, position) =>
        valuesOf(activity, { tenantId, batchId, position }),
      );
      await client(connection).query(insertOf(activities.length), values);
    },
    insertEach: async ({ tenantId, activities }, connection) => {
      for (const activity of activities) {
        const values = valuesOf(activity, { tenantId, batchId: v7(), position: 0 });
        await client(connection).query({ name: 'insert', text: insertOf(1), values });
      }
    },
    flushEach: async ({ tenantId, activities }) => {
      for (const activity of activities) await flusher.flush(tenantId, activity);
    },
    close: async () => {
      await flusher.close();
      await Promise.all(clients.map((each) => each.end()));
    },
  };
}

async function createTable(client: Client): Promise<void> {
  const month = Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth());
  await client.query(`drop schema if exists ${schema} cascade`);
  await client.query(`create schema ${schema}`);
  await client.query(
    `create table ${table} (like annals.activity including all) partition by range (occurred_at)`,
  );
  for (const [name, values] of [
    ['past', `from (minvalue) to ('${new Date(month).toISOString()}')`],
    ['present', `from ('${new Date(month).toISOString()}') to (maxvalue)`],
  ]) {
    await client.query(`create table ${schema}.${name} partition of ${table} for values ${values}`);
  }
}

const texts = new Map<number, string>();

function insertOf(rows: number): string {
  const text = texts.get(rows) ?? insertText(rows);
  texts.set(rows, text);
  return text;
}

function insertText(rows: number): string {
  const width = copiedColumns.length;
  const tuples = Array.from({ length: rows }, (_, row) => {
    const places = Array.from({ length: width }, (_, column) => `$${row * width + column + 1}`);
    return `(${places.join(', ')})`;
  });
  return `insert into ${table} (${columns}) values ${tuples.join(', ')}`;
}

const noSeed = Buffer.alloc(16);

interface Place {
  readonly tenantId: string;
  readonly batchId: string;
  readonly position: number;
}

/** In the order of `copiedColumns`. */
function valuesOf(activity: NewActivity, { tenantId, batchId, position }: Place): unknown[] {
  const { actor, subject, target, context } = activity;
  return [
    tenantId,
    batchId,
    new Date(),
    false,
    position,
    noSeed,
    activity.occurredAt,
    activity.tags,
    JSON.stringify(activity.metadata),
    activity.details && JSON.stringify(activity.details),
    activity.id,
    activity.scopeId,
    activity.action,
    activity.kind,
    activity.operation,
    activity.severity,
    activity.outcome,
    activity.visibility,
    actor.type,
    actor.id,
    actor.label,
    subject?.id,
    target?.type,
    target?.id,
    target?.label,
    activity.channel,
    activity.source,
    activity.message,
    activity.reason,
    context?.ip,
    context?.userAgent,
    context?.requestId,
    context?.sessionId,
    context?.traceId,
    context?.spanId,
  ];
}
