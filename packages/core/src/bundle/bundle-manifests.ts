import {
  type BundleLine,
  type BundleLog,
  encodeBase64,
  type Manifest,
  type ManifestLine,
} from '@annals/tlog';
import { sql } from 'kysely';
import { timeOfId } from '../activity/activity-id.ts';
import type { Tx } from '../database/database.ts';
import { ManifestEntity } from '../manifest/entity.ts';
import { listItems } from '../manifest/list-items.ts';

type Row = Pick<ManifestLine, 'id' | 'kind'> & {
  readonly salt: Uint8Array;
  readonly openedAt: Date;
  readonly activityId?: string | null | undefined;
};

/**
 * The manifests in the order in which the logs seal them, then those that no log of the bundle seals: a verifier
 * goes by the last item of a record.
 */
export async function* manifestLines(tx: Tx, logs: readonly BundleLog[]): AsyncGenerator<BundleLine[]> {
  const manifests: Row[] = await tx.em.findAll(ManifestEntity, { orderBy: { openedAt: 'asc', id: 'asc' } });
  const seals = await findSeals(
    tx,
    manifests.flatMap(({ activityId }) => activityId ?? []),
  );
  const placed = manifests.map((manifest) => ({ manifest, place: placeOf(manifest, { seals, logs }) }));
  placed.sort((a, b) => compare(a.place, b.place));
  for (const { manifest, place } of placed) {
    const line = (items: Manifest['items']) => toLine(manifest, { sealed: Number.isFinite(place[0]), items });
    let begun = false;
    for await (const items of listItems(tx, manifest)) {
      begun = true;
      yield [line(items)];
    }
    if (!begun) yield [line([])];
  }
}

type Place = readonly [epoch: number, index: number];
/** Of one that was sealed, but behind what the bundle covers; and of one that is open, which has later items. */
const sealedBehind: Place = [Number.POSITIVE_INFINITY, 0];
const open: Place = [Number.POSITIVE_INFINITY, 1];

function compare([aEpoch, aIndex]: Place, [bEpoch, bIndex]: Place): number {
  return aEpoch === bEpoch ? aIndex - bIndex : aEpoch - bEpoch;
}

interface Known {
  readonly seals: ReadonlyMap<string, Place>;
  readonly logs: readonly BundleLog[];
}

/** Where the record stands that seals a manifest, as far as the bundle covers it. */
function placeOf({ activityId }: Row, { seals, logs }: Known): Place {
  if (!activityId) return open;
  const place = seals.get(activityId);
  const covered = logs.find(({ epoch }) => epoch === place?.[0])?.size ?? 0;
  return place && place[1] < covered ? place : sealedBehind;
}

const lastMoment = new Date('9999-12-01T00:00:00.000Z');

async function findSeals(tx: Tx, ids: readonly string[]): Promise<Map<string, Place>> {
  const times = ids
    .map((id) => timeOfId(id))
    // Of what is no id of an activity the time can be beyond what the database knows.
    .filter((time) => time < lastMoment)
    .map((time) => time.toISOString())
    .toSorted();
  if (times.length === 0) return new Map();
  const rows = await tx.query(sql<{ id: string; epoch: number; index: number }>`
    select a.id, b.epoch, (b.first_index + a.position)::float8 as index
    from annals.activity a join annals.batch b on b.tenant_id = a.tenant_id and b.id = a.batch_id
    where a.tenant_id = ${tx.tenantId} and a.id = any(${ids}::uuid[])
      and a.action = 'annals.manifest_sealed' and a.occurred_at between ${times.at(0)} and ${times.at(-1)}
      and b.first_index is not null`);
  return new Map(rows.map(({ id, epoch, index }) => [id, [epoch, index]]));
}

function toLine(
  { id, kind, salt, openedAt }: Row,
  { sealed, items }: { readonly sealed: boolean; readonly items: Manifest['items'] },
): BundleLine {
  return {
    type: 'manifest',
    id,
    kind,
    salt: encodeBase64(salt),
    sealed,
    openedAt: openedAt.toISOString(),
    items: items.map((item) =>
      'slots' in item ? { ...item, slots: encodeBase64(item.slots), rest: encodeBase64(item.rest) } : item,
    ),
  };
}
