import { equalBytes } from '../bytes.ts';
import type { LogState } from './bundle-verifier.ts';
import type { FindingList } from './findings.ts';
import { type Opening, readOpening } from './log-records.ts';
import type { OwnRecord } from './own-record.ts';

export interface OpeningCheck {
  readonly log: LogState;
  /** The epoch before it in the bundle. */
  readonly before: LogState | undefined;
  readonly findings: FindingList;
}

/**
 * A later epoch begins by saying where the one before it ends, and what was lost, so that nobody can open one
 * unseen. `first` is the first of Annals' own records in its first tile.
 */
export function checkOpening(first: OwnRecord | undefined, { log, before, findings }: OpeningCheck): void {
  const { epoch } = log.log;
  const opening = first?.place === 0 ? readOpening(first) : undefined;
  if (!opening || !isLinked(opening, before)) {
    const message = `epoch ${epoch} does not begin with a record that cites the end of the one before it`;
    findings.add('epoch_unlinked', { message, epoch, index: 0 });
    return;
  }
  const { signed } = opening;
  const kept = signed?.epoch === before?.log.epoch ? (before?.log.size ?? 0) : 0;
  if (!signed || signed.size <= kept) return;
  const message = `epoch ${signed.epoch} was signed at ${signed.size} entries; ${kept} of them are left`;
  findings.add('entries_lost', { message, epoch, index: 0 });
}

function isLinked({ cited }: Opening, before: LogState | undefined): boolean {
  if (!cited || !before?.root) return !cited && !before;
  const { log, root } = before;
  return cited.origin === log.origin && cited.size === log.size && equalBytes(cited.root, root);
}
