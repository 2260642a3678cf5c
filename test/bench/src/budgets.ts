import type { Row } from './row.ts';

/** A promise about speed, and the rows that say whether it is kept. */
export interface Budget {
  readonly what: string;
  readonly of: (row: Row) => boolean;
}

const named = (name: RegExp) => (row: Row) => name.test(row.name);
const beside = (name: RegExp, reference: RegExp) => (row: Row) =>
  name.test(row.name) && reference.test(row.referenceName ?? '');

/** What was asked for before anything was built, in that order. */
export const budgets: readonly Budget[] = [
  { what: 'Bulk ingest, beside COPY BINARY of the same rows', of: beside(/^(append|log)/, /COPY|INSERT of/) },
  { what: 'Single awaited `log()`, 64 callers, beside prepared INSERTs', of: beside(/./, /prepared INSERT/) },
  { what: 'Ingest, beside an ORM flush or insert for each record', of: beside(/./, /ORM flush|Drizzle/) },
  { what: 'Integrity, beside the same append without it', of: beside(/./, /without integrity/) },
  { what: 'A page of 50, any filter of one dimension; at depth', of: named(/^(first page|page|get by id)/) },
  { what: 'Stats by action by day', of: named(/^stats/) },
  { what: 'Leaf commitments', of: named(/^leaf commitments/) },
  { what: 'Erasing a person; dropping an expired partition', of: named(/^(eras|anonymiz|redact|drop|purg)/) },
  { what: 'Export', of: named(/^export/) },
  { what: 'Import of NDJSON', of: named(/import/) },
  { what: 'Live tail, from commit to subscriber', of: named(/^live tail/) },
  { what: 'Storage of a record', of: named(/^storage/) },
  { what: 'Verification and proofs', of: named(/^(verify|inclusion proof)/) },
  { what: 'Size of the SDK', of: named(/^SDK/) },
];
