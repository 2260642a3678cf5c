import { type Opening, rebuildEntry } from '../entry/rebuild-entry.ts';
import type { JsonMap } from '../entry/record.ts';
import type { BundledRecord } from './read-record.ts';

/** One of Annals' own records that says something about the log itself. */
export interface OwnRecord {
  /** In its tile. */
  readonly place: number;
  readonly action: OwnAction;
  readonly recordedMs: number;
  readonly targetId: string | undefined;
  readonly metadata: JsonMap;
}

/** A request opens what its end closes. */
export const requestActions = {
  'erasure.requested': { kind: 'erasure', opens: true },
  'erasure.completed': { kind: 'erasure', opens: false },
  'erasure.cancelled': { kind: 'erasure', opens: false },
  'retention.requested': { kind: 'purge', opens: true },
  'retention.applied': { kind: 'purge', opens: false },
  'retention.cancelled': { kind: 'purge', opens: false },
} as const;

type RequestAction = keyof typeof requestActions;
export type OwnAction =
  | RequestAction
  | 'annals.manifest_sealed'
  | 'annals.log_key_rotated'
  | 'annals.epoch_opened';

const actions: ReadonlySet<string> = new Set<OwnAction>([
  ...(Object.keys(requestActions) as RequestAction[]),
  'annals.manifest_sealed',
  'annals.log_key_rotated',
  'annals.epoch_opened',
]);

/**
 * Undefined for a record that says nothing of the log. Of one of which something was erased, only what its leaf still
 * commits to: what has taken the place of a value can be anything.
 */
export function toOwnRecord(
  place: number,
  { record, opening }: { readonly record: BundledRecord; readonly opening: Opening },
): OwnRecord | undefined {
  if (!actions.has(record.action)) return undefined;
  const action = record.action as OwnAction;
  const recordedMs = record.recordedAt.getTime();
  if ('seed' in opening) {
    return { place, action, recordedMs, targetId: record.target?.id, metadata: record.metadata };
  }
  const open = rebuildEntry(record, opening).slots.flatMap(({ state, shown }) =>
    state === 'open' && shown ? [shown] : [],
  );
  const targetId = open.some(({ name }) => name === 'target.id') ? record.target?.id : undefined;
  const metadata = Object.fromEntries(
    open.flatMap(({ name, key = '', content }) => (name === 'metadata' ? [[key, content]] : [])),
  );
  return { place, action, recordedMs, targetId, metadata };
}

export function isRequest(action: OwnAction): action is RequestAction {
  return action in requestActions;
}
