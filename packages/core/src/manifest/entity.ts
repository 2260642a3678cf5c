import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';

export const manifestKinds = ['erasure', 'purge'] as const;
export type ManifestKind = (typeof manifestKinds)[number];

/**
 * A list of what has gone from a tenant's activities. While it is open, items of all runs gather in it without
 * saying of which run they are; sealing it puts its root into the log.
 */
export const ManifestEntity = defineEntity({
  name: 'Manifest',
  tableName: 'manifest',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    id: p.uuid().primary(),
    kind: p.type('text').$type<ManifestKind>(),
    /** Part of every item's hash: without it, nothing tells what the items were. */
    salt: p.blob(),
    openedAt: p.datetime(3),
    /** The rest is null until it is sealed. */
    items: p.bigint('number').nullable(),
    root: p.blob().nullable(),
    /** The own activity that holds the root. */
    activityId: p.uuid().nullable(),
    sealedAt: p.datetime(3).nullable(),
  },
  uniques: [{ name: 'manifest_open_idx', properties: ['tenantId', 'kind'], where: 'sealed_at is null' }],
});

/** What was erased of one activity. */
export const ErasureItemEntity = defineEntity({
  name: 'ErasureItem',
  tableName: 'erasure_item',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    manifestId: p.uuid().primary(),
    batchId: p.uuid().primary(),
    position: p.integer().primary(),
    /** Slots of the entry: the record may be purged before the manifest is sealed. */
    slotCount: p.integer(),
    /** A bit for each slot of the entry, in its order: whether its original value has gone. */
    slots: p.blob(),
    /** Commitment to what the erased slots show now (docs/format.md). */
    rest: p.blob(),
  },
});

/** Which activities of one batch were purged. */
export const PurgeItemEntity = defineEntity({
  name: 'PurgeItem',
  tableName: 'purge_item',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    manifestId: p.uuid().primary(),
    batchId: p.uuid().primary(),
    positions: p.type('int4multirange').$type<string>(),
  },
});
