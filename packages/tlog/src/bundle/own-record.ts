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

export function toOwnRecord(place: number, record: BundledRecord): OwnRecord | undefined {
  if (!actions.has(record.action)) return undefined;
  const { recordedAt, target, metadata } = record;
  const action = record.action as OwnAction;
  return { place, action, recordedMs: recordedAt.getTime(), targetId: target?.id, metadata };
}

export function isRequest(action: OwnAction): action is RequestAction {
  return action in requestActions;
}
