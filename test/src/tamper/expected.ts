import type { FindingCode } from '@annals/tlog';
import type { Notice } from './audit.ts';
import type { TamperCase } from './column-cases.ts';

/** A finding of verification, who else notices, or nobody. */
type Expected = FindingCode | Exclude<Notice['by'], 'verify' | 'later verify'> | 'nobody';

const inRecord: readonly Expected[] = ['record_mismatch'];
/** A record that cannot be read any more explains nothing any more either. */
const unexplained: readonly Expected[] = ['manifest_order', 'manifest_missing', 'request_missing'];

/**
 * What a change of a column is noticed as, whatever the change and the row: the columns that an entry commits to
 * are not listed, so that a new one is expected to be among them.
 */
const ofColumns: Readonly<Record<string, readonly Expected[]>> = {
  'activity.tenant_id': ['index_unexplained'],
  'activity.occurred_at': ['record_contradicts'],
  'activity.id': ['record_contradicts'],
  'activity.batch_id': ['index_unexplained', 'record_mismatch', 'record_repeated'],
  'activity.position': ['index_unexplained', 'record_mismatch', 'record_repeated'],
  'activity.target_type': ['record_mismatch', 'record_malformed'],
  'activity.target_id': ['record_mismatch', 'record_malformed'],
  'activity.target_label': ['record_mismatch', 'record_malformed'],
  'activity.erased': ['record_mismatch', 'erasure_mismatch'],
  'activity.seed': ['record_mismatch', 'record_malformed'],
  'activity.openings': ['record_mismatch', 'record_malformed', 'erasure_mismatch', 'nobody'],
  'batch.tenant_id': ['index_unexplained', 'manifest_mismatch', 'receipts'],
  'batch.id': ['index_unexplained', 'record_mismatch', 'record_repeated', 'manifest_mismatch'],
  'batch.size': ['sequencer', 'nobody'],
  'batch.recorded_at': ['nobody'],
  'batch.first_occurred_at': ['index_unexplained', 'nobody'],
  'batch.last_occurred_at': ['index_unexplained', 'nobody'],
  'batch.root': ['sequencer', 'nobody'],
  'batch.leaves': ['sequencer', 'nobody'],
  'batch.epoch': ['index_unexplained', 'manifest_mismatch', 'bundle_malformed', 'nobody'],
  'batch.first_index': [
    'index_unexplained',
    'record_mismatch',
    'record_repeated',
    'manifest_mismatch',
    'receipts',
  ],
  'log.tenant_id': ['signer', 'bundle_malformed'],
  'log.epoch': ['signer'],
  'log.size': ['sequencer'],
  'log.root': ['sequencer'],
  'log.edge': ['checkpoint_mismatch', 'held_checkpoint_mismatch', 'record_mismatch', 'bundle_malformed'],
  'log.sequenced_at': ['nobody'],
  'tile.tenant_id': [
    'bundle_malformed',
    'checkpoint_mismatch',
    'held_checkpoint_mismatch',
    'record_mismatch',
  ],
  'tile.epoch': ['bundle_malformed'],
  'tile.level': ['bundle_malformed'],
  'tile.index': ['bundle_malformed'],
  'tile.hashes': ['checkpoint_mismatch', 'held_checkpoint_mismatch', 'record_mismatch', 'bundle_malformed'],
  'checkpoint.tenant_id': ['checkpoint_mismatch', 'nobody'],
  'checkpoint.epoch': ['nobody'],
  'checkpoint.size': [
    'checkpoint_mismatch',
    'checkpoint_missing',
    'held_checkpoint_beyond',
    'bundle_malformed',
    'nobody',
  ],
  'checkpoint.root': ['signer', 'nobody'],
  'checkpoint.note': ['checkpoint_untrusted', 'checkpoint_mismatch', 'checkpoint_missing'],
  'checkpoint.verifier_keys': ['nobody'],
  'checkpoint.signed_at': ['nobody'],
  'manifest.tenant_id': ['manifest_missing', 'erasure_unexplained', 'erasure_mismatch', 'index_unexplained'],
  'manifest.id': [
    'manifest_missing',
    'manifest_mismatch',
    'manifest_order',
    'erasure_unexplained',
    'erasure_mismatch',
    'index_unexplained',
  ],
  'manifest.kind': [
    'bundle_malformed',
    'manifest_mismatch',
    'erasure_unexplained',
    'erasure_mismatch',
    'index_unexplained',
  ],
  'manifest.salt': ['manifest_mismatch', 'bundle_malformed', 'nobody'],
  'manifest.opened_at': ['request_missing', 'nobody'],
  'manifest.items': ['nobody'],
  'manifest.root': ['nobody'],
  'manifest.activity_id': ['manifest_order', 'erasure_mismatch', 'nobody'],
  'manifest.sealed_at': [
    'manifest_mismatch',
    'manifest_order',
    'erasure_mismatch',
    'request_missing',
    'nobody',
  ],
  ...Object.fromEntries(
    ['tenant_id', 'manifest_id', 'batch_id', 'position', 'slot_count', 'slots', 'rest'].map((column) => [
      `erasure_item.${column}`,
      [
        'manifest_mismatch',
        'erasure_mismatch',
        'erasure_unexplained',
        'erasure_not_done',
        'bundle_malformed',
      ],
    ]),
  ),
  'purge_item.tenant_id': ['manifest_mismatch', 'index_unexplained'],
  'purge_item.manifest_id': ['manifest_mismatch', 'index_unexplained'],
  'purge_item.batch_id': ['manifest_mismatch', 'index_unexplained'],
  'purge_item.positions': ['manifest_mismatch', 'index_unexplained', 'purge_not_done'],
};

/** What is done to whole rows, by the names of the cases. */
const ofRows: Readonly<Record<string, readonly Expected[]>> = {
  'activity: a whole record, deleted': ['index_unexplained'],
  'activity: a whole record, stored twice': ['record_repeated'],
  'activity: an erased record, deleted': ['index_unexplained'],
  'activity: an erased record, stored twice': ['record_repeated'],
  'activity: a record of Annals itself, deleted': ['index_unexplained'],
  'activity: a record of Annals itself, stored twice': ['record_repeated'],
  'activity: a record before it is sequenced, deleted': ['index_unexplained'],
  'activity: a record before it is sequenced, stored twice': ['record_repeated'],
  'activity: the last rows, cut off': ['index_unexplained'],
  'activity: two records, reordered': ['record_mismatch'],
  'activity: a forged record at the index of another, inserted': ['record_repeated'],
  'activity: a forged record where one was purged, inserted': ['record_mismatch'],
  'activity: a forged record behind the end of its batch, inserted': ['record_repeated'],
  'activity: a forged record in a batch before it is sequenced, inserted': ['record_repeated'],
  'activity: a forged record of a batch that the log does not have, inserted': ['proof'],
  'batch: a sequenced batch, deleted': ['index_unexplained', 'manifest_mismatch'],
  'batch: a sequenced batch, stored twice': ['bundle_malformed'],
  'batch: a batch before it is sequenced, deleted': ['receipts'],
  'batch: a batch before it is sequenced, stored twice': ['record_repeated', 'index_unexplained'],
  'batch: the last rows, cut off': ['index_unexplained'],
  'batch: two batches, reordered': ['record_mismatch', 'manifest_mismatch'],
  'batch: a forged batch at the index of another, inserted': ['nobody'],
  'batch: a forged batch behind the end of the log, inserted': ['nobody'],
  'batch: a forged batch with its record behind the end of the log, inserted': ['record_repeated'],
  'batch: a forged batch before it is sequenced, with leaves that are not its own, inserted': ['sequencer'],
  'log: the log, deleted': ['signer'],
  'log: the log, stored twice': ['sequencer'],
  'log: the last rows, cut off': ['signer'],
  'log: a forged log of the next epoch, inserted': ['signer'],
  'log: a forged empty log of the next epoch, inserted': ['signer'],
  'tile: a tile, deleted': ['bundle_malformed'],
  'tile: a tile, stored twice': ['nobody'],
  'tile: the last rows, cut off': ['bundle_malformed'],
  'tile: a forged tile that the log does not have yet, inserted': ['nobody'],
  'tile: a forged tile of the next epoch, inserted': ['nobody'],
  'checkpoint: an older checkpoint, deleted': ['nobody'],
  'checkpoint: an older checkpoint, stored twice': ['checkpoint_mismatch'],
  'checkpoint: the newest checkpoint, deleted': ['nobody'],
  'checkpoint: the newest checkpoint, stored twice': ['checkpoint_mismatch'],
  'checkpoint: the last rows, cut off': ['nobody'],
  'checkpoint: a forged checkpoint between others, inserted': ['checkpoint_mismatch'],
  'checkpoint: a forged checkpoint behind the end of the log, inserted': [
    'bundle_malformed',
    'checkpoint_mismatch',
  ],
  'checkpoint: a forged checkpoint of the next epoch, inserted': ['nobody'],
  'manifest: a sealed erasure manifest, deleted': ['manifest_missing', 'erasure_unexplained'],
  'manifest: a sealed erasure manifest, stored twice': ['nobody'],
  'manifest: a sealed purge manifest, deleted': ['manifest_missing', 'index_unexplained'],
  'manifest: a sealed purge manifest, stored twice': ['nobody'],
  'manifest: an open manifest, deleted': ['erasure_mismatch'],
  'manifest: an open manifest, stored twice': ['nobody'],
  'manifest: the last rows, cut off': ['erasure_mismatch'],
  'manifest: a forged sealed manifest, inserted': ['manifest_order'],
  'manifest: a forged open manifest, inserted': ['nobody'],
  'erasure_item: an item of a sealed manifest, deleted': ['manifest_mismatch', 'erasure_unexplained'],
  'erasure_item: an item of a sealed manifest, stored twice': ['bundle_malformed'],
  'erasure_item: an item of an open manifest, deleted': ['erasure_mismatch'],
  'erasure_item: an item of an open manifest, stored twice': ['bundle_malformed'],
  'erasure_item: the last rows, cut off': ['erasure_mismatch'],
  'erasure_item: a forged item of a record that was not erased, in a sealed manifest, inserted': [
    'manifest_mismatch',
    'erasure_not_done',
  ],
  'erasure_item: a forged item of a record that was not erased, in an open manifest, inserted': [
    'erasure_not_done',
  ],
  'purge_item: an item, deleted': ['manifest_mismatch', 'index_unexplained'],
  'purge_item: an item, stored twice': ['nobody'],
  'purge_item: the last rows, cut off': ['manifest_mismatch', 'index_unexplained'],
  'purge_item: a forged item of a record that was not purged, inserted': [
    'manifest_mismatch',
    'purge_not_done',
  ],
};

/** As `activity.message of a whole record, emptied` or `activity: a whole record, deleted`. */
export function nameOf({ table, column, row, change }: TamperCase): string {
  return column === undefined ? `${table}: ${row}, ${change}` : `${table}.${column} of ${row}, ${change}`;
}

/** What may be noticed of a case; throws for one that nobody has thought about. */
export function expectedOf(each: TamperCase): readonly Expected[] {
  const { table, column } = each;
  const listed = column === undefined ? ofRows[nameOf(each)] : ofColumns[`${table}.${column}`];
  const expected = listed ?? (table === 'activity' && column !== undefined ? inRecord : undefined);
  if (!expected) throw new Error(`nothing is expected of ${nameOf(each)}`);
  return table === 'activity' || table === 'batch' ? [...expected, ...unexplained] : expected;
}

/** In the same words. */
export function wordsOf(notice: Notice | undefined): string[] {
  if (!notice) return ['nobody'];
  return notice.by === 'verify' || notice.by === 'later verify' ? notice.said.split(' ') : [notice.by];
}
