import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ErasedRecord } from '@annals/tlog';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Tx } from '../database/database.ts';
import { packBytes } from '../database/pack-bytes.ts';
import { addErasureItems } from '../manifest/add-erasure-items.ts';
import { openManifest } from '../manifest/open-manifest.ts';
import { recount } from '../rollup/recount.ts';
import { eraseOpenings, type RowErasure } from './erase-openings.ts';
import { erasableColumns } from './erasure.ts';
import { moment } from './examine.ts';

interface Change extends RowErasure {
  readonly erased: ErasedRecord | undefined;
}

/** Writes erasures, some at a time. */
export interface Rewriter {
  /** Returns once those before have been written; these are being written while the caller prepares further ones. */
  add(changes: readonly RowErasure[]): Promise<void>;
  /** Returns the id of the manifest that lists them, where anything was changed. */
  end(): Promise<string | undefined>;
}

/**
 * Write erasures over records that this transaction holds locked, as the custodian, with what opens them now, and list
 * them in the open manifest.
 *
 * JSON that an erasure does not touch is not written, so that it stays as it is to the last digit.
 */
export function createRewriter(tx: Tx, clock: Clock): Rewriter {
  const written: RowErasure[] = [];
  let writing: Promise<void> = Promise.resolve();
  let manifestId: string | undefined;
  const write = async (changes: readonly Change[]) => {
    await update(tx, changes);
    manifestId ??= await openManifest(tx, { kind: 'erasure', clock });
    const records = changes.flatMap(({ row: { batch_id: batchId, position }, erased: item }) =>
      item ? [{ ...item, batchId, position }] : [],
    );
    await addErasureItems(tx, { manifestId, records });
  };
  return {
    add: async (changes) => {
      if (changes.length === 0) return;
      // What the database has done meanwhile is met here, and what comes next sent to it.
      await yieldToOthers();
      const openings = eraseOpenings(changes);
      const erased = changes.map((change, at): Change => ({ ...change, erased: openings[at] }));
      await writing;
      written.push(...changes);
      writing = write(erased);
      // Its failure is met by whoever waits for it next.
      writing.catch(() => undefined);
      // Only then the statement is on its way; the caller goes on without a pause.
      await yieldToOthers();
    },
    end: async () => {
      await writing;
      await recount(
        tx,
        written.map(({ row, erasure }) => ({ before: row, after: { ...row, ...erasure.values } })),
      );
      return manifestId;
    },
  };
}

/** Writes the columns in which any of the records changes, and no others: what stays takes time to write too. */
async function update(tx: Tx, changes: readonly Change[]): Promise<void> {
  const openings = packBytes(changes.map(({ erased }) => erased?.openings));
  const times = changes.map(({ row }) => row.occurred_ms);
  const isWritten = (column: string) => changes.some(({ erasure }) => column in erasure.values);
  const texts = erasableColumns.map(({ column }) => column).filter(isWritten);
  const others = [
    ...(isWritten('tags') ? [tagsColumn] : []),
    ...jsonColumns.filter(({ name }) => isWritten(name)),
  ];
  const records = changes.map((change, place) => toRecord(change, { texts, place }));
  await tx.query(sql`
    update annals.activity as a set
      ${sql.join([
        sql`erased = r.erased, seed = null, openings = ${openings.pick(sql`r.place`)}`,
        ...texts.map((column) => sql`${sql.ref(column)} = r.${sql.ref(column)}`),
        ...others.map(({ set }) => set),
      ])}
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as r (
      ${sql.join([
        sql`occurred_at timestamptz, id uuid, erased text[], place int`,
        ...texts.map((column) => sql`${sql.ref(column)} text`),
        ...others.map(({ columns }) => columns),
      ])})
    where a.tenant_id = ${tx.tenantId} and a.occurred_at = r.occurred_at and a.id = r.id
      and a.occurred_at between ${moment(Math.min(...times))} and ${moment(Math.max(...times))}`);
}

const tagsColumn = { set: sql`tags = r.tags`, columns: sql`tags text[]` };

/** Where this record's stays it is not sent, so that it stays as it is to the last digit. */
const jsonColumns = (['metadata', 'details'] as const).map((name) => {
  const [column, keeps] = [sql.ref(name), sql.ref(`keeps_${name}`)];
  return {
    name,
    set: sql`${column} = case when r.${keeps} then a.${column} else r.${column} end`,
    columns: sql`${column} jsonb, ${keeps} boolean`,
  };
});

interface Sent {
  readonly texts: readonly string[];
  readonly place: number;
}

/** What is not asked for is passed over. */
function toRecord({ row, erasure: { values } }: Change, { texts, place }: Sent): object {
  const record: Record<string, unknown> = {
    occurred_at: new Date(row.occurred_ms).toISOString(),
    id: row['id'],
    erased: values.erased,
    place,
    tags: values.tags ?? row.tags,
    keeps_metadata: values.metadata === undefined,
    metadata: values.metadata,
    keeps_details: values.details === undefined,
    details: values.details,
  };
  for (const column of texts) record[column] = column in values ? values[column] : row[column];
  return record;
}
