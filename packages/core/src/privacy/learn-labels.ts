import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { supersetPattern } from './prefilter.ts';
import { fold } from './text-forms.ts';

export interface Learned {
  readonly label: string;
  /** Why it is not looked for: it labels others too, or is too short to name anybody. */
  readonly skipped?: 'short' | 'shared';
}

/** Shorter labels would be found everywhere. */
const lengthMin = 4;
const labelsMax = 200;

/**
 * The labels that a person's own records carry, as actor and as target, each in one spelling.
 *
 * One that an actor or target of another id carries too, as "Admin", does not name the person.
 */
export async function learnLabels(tx: Tx, ids: readonly string[]): Promise<Learned[]> {
  const labels = distinct(await ownLabels(tx, ids));
  const shared = new Set((await othersLabels(tx, { ids, labels })).map(fold));
  return labels.map((label) => {
    if (label.length < lengthMin) return { label, skipped: 'short' };
    return shared.has(fold(label)) ? { label, skipped: 'shared' } : { label };
  });
}

/** The most frequent ones. Any that are left are erased from the person's own records all the same. */
async function ownLabels(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.query(sql<{ label: string }>`
    select label from (
      select actor_label as label from annals.activity
      where tenant_id = ${tx.tenantId} and actor_id = any(${ids}::text[])
      union all
      select target_label from annals.activity
      where tenant_id = ${tx.tenantId} and target_id = any(${ids}::text[])
    ) as own
    where label is not null group by label order by count(*) desc, label limit ${labelsMax}`);
  return rows.map(({ label }) => label);
}

interface Others {
  readonly ids: readonly string[];
  readonly labels: readonly string[];
}

/** Labels of others that can be spellings of these. */
async function othersLabels(tx: Tx, { ids, labels }: Others): Promise<string[]> {
  if (labels.length === 0) return [];
  const pattern = supersetPattern(labels) ?? '';
  const rows = await tx.query(sql<{ label: string }>`
    select actor_label as label from annals.activity
    where tenant_id = ${tx.tenantId} and actor_id <> all(${ids}::text[]) and actor_label collate "C" ~ ${pattern}
    union
    select target_label from annals.activity
    where tenant_id = ${tx.tenantId} and target_id <> all(${ids}::text[]) and target_label collate "C" ~ ${pattern}`);
  return rows.map(({ label }) => label);
}

function distinct(labels: readonly string[]): string[] {
  const byFold = new Map<string, string>();
  for (const label of labels) if (!byFold.has(fold(label))) byFold.set(fold(label), label);
  return [...byFold.values()];
}
