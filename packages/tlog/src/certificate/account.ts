import type { JsonMap } from '../entry/record.ts';
import type { Account, CertifiedJob, CertifiedKind, OutOfReach } from './certificate.ts';

/** The actions of the records that a run begins and ends with. */
export function actionsOf({ kind, status }: Pick<CertifiedJob, 'kind' | 'status'>) {
  const [name, completed] = kind === 'retention' ? ['retention', 'applied'] : ['erasure', 'completed'];
  return { requested: `${name}.requested`, ended: `${name}.${status === 'completed' ? completed : status}` };
}

/** What the last record of a run says that it did. */
export function accountOf(kind: CertifiedKind, metadata: JsonMap): Account {
  const { changed = 0, held = 0, fields, policies, partitionsDropped, residual } = metadata;
  const account = {
    tables: { activity: kind === 'retention' ? { removed: changed } : { changed } },
    ...(fields !== undefined && { fields }),
    ...(policies !== undefined && { policies }),
    ...(partitionsDropped !== undefined && { partitionsDropped }),
    held,
    ...(residual !== undefined && { residual }),
  };
  // As the record says it: a certificate repeats the record, and the verifier compares the two.
  return account as Account;
}

const everywhere: readonly OutOfReach[] = [
  {
    code: 'dead_rows',
    text: 'Replaced and removed rows stay in the files of the database until it has vacuumed and overwritten them.',
  },
  {
    code: 'wal',
    text: 'The write-ahead log of the database and its archive hold what was written until they are recycled.',
  },
  {
    code: 'backups',
    text: 'Backups made before hold everything; after one is restored, the run must be repeated.',
  },
  { code: 'replicas', text: 'Replicas of the database follow by themselves, each with its own files.' },
  {
    code: 'exports',
    text: 'Exports, bundles, receipts and copies in other systems are outside the log.',
  },
  {
    code: 'recipients',
    text: 'Whoever kept a value with its salt or seed can still show that it stood in the log.',
  },
];

const ofErasures: readonly OutOfReach[] = [
  {
    code: 'linkage',
    text: 'That a record exists, its time, action and outcome, and the values that were not erased stay.',
  },
];

const ofPurges: readonly OutOfReach[] = [
  {
    code: 'leaves',
    text: 'The hash of each purged record stays in the log; it tells nothing of its content.',
  },
];

/** What no run of the kind reaches. */
export function outOfReachOf(kind: CertifiedKind): readonly OutOfReach[] {
  return [...everywhere, ...(kind === 'retention' ? ofPurges : ofErasures)];
}
