import {
  actorTypes,
  type JsonObject,
  kinds,
  operations,
  outcomes,
  severities,
  visibilities,
} from '@annals/contract';
import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';

/**
 * One activity. The table is range-partitioned by `occurred_at`; the first migration creates it, since a
 * declared `partitionBy` would make every new partition look like drift (docs/adr/0002).
 */
export const ActivityEntity = defineEntity({
  name: 'Activity',
  tableName: 'activity',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    occurredAt: p.datetime(3).primary(),
    id: p.uuid().primary(),
    batchId: p.uuid(),
    /** Place within the batch, from 0. */
    position: p.integer(),
    recordedAt: p.datetime(3),
    scopeId: p.text().nullable(),
    action: p.text(),
    kind: p.enum(kinds).nativeEnumName('activity_kind'),
    operation: p.enum(operations).nativeEnumName('activity_operation').nullable(),
    severity: p.enum(severities).nativeEnumName('activity_severity'),
    outcome: p.enum(outcomes).nativeEnumName('activity_outcome'),
    visibility: p.enum(visibilities).nativeEnumName('activity_visibility'),
    actorType: p.enum(actorTypes).nativeEnumName('activity_actor_type'),
    actorId: p.text().nullable(),
    actorLabel: p.text().nullable(),
    subjectId: p.text().nullable(),
    targetType: p.text().nullable(),
    targetId: p.text().nullable(),
    targetLabel: p.text().nullable(),
    channel: p.text().nullable(),
    source: p.text().nullable(),
    message: p.text().nullable(),
    reason: p.text().nullable(),
    ip: p.text().nullable(),
    userAgent: p.text().nullable(),
    requestId: p.text().nullable(),
    sessionId: p.text().nullable(),
    traceId: p.text().nullable(),
    spanId: p.text().nullable(),
    tags: p.type('text[]').$type<string[]>(),
    metadata: p.json<JsonObject>(),
    details: p.json<JsonObject>().nullable(),
    /** Names of the fields that were erased, as readers see them: `actor.id`, `metadata.plan`. */
    erased: p.type('text[]').$type<string[]>().nullable(),
    /** Whether Annals itself wrote it: of an export, an erasure, a purge, a hold, the log. */
    own: p.boolean(),
    /** What the salts of the record's commitments derive from; null once something of it was erased. */
    seed: p.blob().nullable(),
    /** In place of the seed then: salts of what is there, commitments of what is gone (docs/format.md). */
    openings: p.blob().nullable(),
  },
  indexes: [
    { name: 'activity_actor_idx', properties: ['tenantId', 'actorId', 'occurredAt', 'id'] },
    { name: 'activity_target_idx', properties: ['tenantId', 'targetId', 'occurredAt', 'id'] },
    { name: 'activity_action_idx', properties: ['tenantId', 'action', 'occurredAt', 'id'] },
    { name: 'activity_batch_idx', properties: ['tenantId', 'batchId'] },
    {
      name: 'activity_subject_idx',
      properties: ['tenantId', 'subjectId', 'occurredAt', 'id'],
      where: 'subject_id is not null',
    },
    {
      name: 'activity_severe_idx',
      properties: ['tenantId', 'occurredAt', 'id'],
      where: "severity >= 'error'",
    },
    {
      name: 'activity_failed_idx',
      properties: ['tenantId', 'occurredAt', 'id'],
      where: "outcome <> 'success'",
    },
  ],
});

/** The activities that one transaction committed for one tenant: the unit of sequencing. */
export const BatchEntity = defineEntity({
  name: 'Batch',
  tableName: 'batch',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    id: p.uuid().primary(),
    size: p.integer(),
    recordedAt: p.datetime(3),
    /** Bounds of its activities' times, so that finding them leaves out partitions. */
    firstOccurredAt: p.datetime(3),
    lastOccurredAt: p.datetime(3),
    /** RFC 6962 root of its leaf hashes. */
    root: p.blob(),
    /** The leaf hashes, until the log's tiles hold them. */
    leaves: p.blob().nullable(),
    /** The log's epoch, and the index in it of position 0; null until sequenced. */
    epoch: p.integer().nullable(),
    firstIndex: p.bigint('number').nullable(),
  },
  indexes: [{ name: 'batch_unsequenced_idx', properties: ['tenantId', 'id'], where: 'first_index is null' }],
  uniques: [
    {
      name: 'batch_index_idx',
      properties: ['tenantId', 'epoch', 'firstIndex'],
      where: 'first_index is not null',
    },
  ],
});
