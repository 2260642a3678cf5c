import type { Client } from 'pg';
import { createSerials, isOurs, serialOf } from './serials.ts';
import { type Told, tailSpecs } from './tails.ts';

export interface Stored {
  readonly stored: number;
  /** Acknowledged, and not there. */
  readonly lost: number;
  /** There more than once. */
  readonly double: number;
  /** There, and never acknowledged: an answer that was lost for good. */
  readonly unacknowledged: number;
  /** There, and never sent. */
  readonly foreign: number;
}

export interface Sent {
  readonly tenantId: string;
  readonly sent: number;
  readonly acknowledged: Uint8Array;
}

/** Compare every stored id with those that were acknowledged. */
export async function checkStored(client: Client, { tenantId, sent, acknowledged }: Sent): Promise<Stored> {
  const answered = createSerials(acknowledged);
  const found = createSerials();
  const counts = { stored: 0, double: 0, unacknowledged: 0, foreign: 0 };
  let kept = 0;
  const query = 'select id from annals.activity where tenant_id = $1 and not own';
  for await (const id of idsOf(client, { query, values: [tenantId] })) {
    const serial = serialOf(id);
    counts.stored += 1;
    if (!isOurs(id) || serial >= sent) counts.foreign += 1;
    else if (found.has(serial)) counts.double += 1;
    else {
      found.add(serial);
      if (answered.has(serial)) kept += 1;
      else counts.unacknowledged += 1;
    }
  }
  return { ...counts, lost: answered.size - kept };
}

export interface TailCheck {
  readonly query: string;
  readonly wanted: number;
  readonly missing: number;
  readonly double: number;
  /** Told before something that stands before it in the log. */
  readonly misplaced: number;
}

/** Compare what each tail told with what the log holds, in its order. */
export async function checkTails(
  client: Client,
  { tenantId, told }: { readonly tenantId: string; readonly told: readonly Told[] },
): Promise<TailCheck[]> {
  const checks: TailCheck[] = [];
  for (const [at, { query, condition }] of tailSpecs.entries()) {
    const wanted: number[] = [];
    const sql = `select a.id from annals.batch b join annals.activity a
        on a.tenant_id = b.tenant_id and a.batch_id = b.id
      where b.tenant_id = $1 and b.first_index is not null and not a.own and (${condition})
      order by b.epoch, b.first_index + a.position`;
    for await (const id of idsOf(client, { query: sql, values: [tenantId] })) wanted.push(serialOf(id));
    checks.push({ query, ...compare(told[at]?.serials ?? [], wanted) });
  }
  return checks;
}

export function compare(told: readonly number[], wanted: readonly number[]): Omit<TailCheck, 'query'> {
  const placeOf = new Map(wanted.map((serial, place) => [serial, place]));
  const seen = new Set<number>();
  let [double, misplaced, last] = [0, 0, -1];
  for (const serial of told) {
    const place = placeOf.get(serial);
    if (seen.has(serial)) double += 1;
    else if (place === undefined || place < last) misplaced += 1;
    else last = place;
    seen.add(serial);
  }
  const missing = wanted.filter((serial) => !seen.has(serial)).length;
  return { wanted: wanted.length, missing, double, misplaced };
}

/** In parts, so that millions need no memory. */
async function* idsOf(
  client: Client,
  { query, values }: { readonly query: string; readonly values: readonly unknown[] },
): AsyncGenerator<string> {
  await client.query('begin');
  await client.query(`declare ids no scroll cursor for ${query}`, [...values]);
  for (;;) {
    const { rows } = await client.query<{ id: string }>('fetch 20000 from ids');
    if (rows.length === 0) break;
    for (const { id } of rows) yield id;
  }
  await client.query('commit');
}
