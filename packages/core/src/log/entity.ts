import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';

/**
 * A tenant's log in one epoch: how far it is sequenced. Whoever sequences holds this row locked, so that
 * indexes are given out once.
 */
export const LogEntity = defineEntity({
  name: 'Log',
  tableName: 'log',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    /** From 1; a new one is opened when a restored database lost what was signed. */
    epoch: p.integer().primary(),
    size: p.bigint('number'),
    root: p.blob(),
    /** The partial tile on the right of each level, from level 0. */
    edge: p.type('bytea[]').$type<Buffer[]>(),
    sequencedAt: p.datetime(3),
  },
});

/** A full tile of a log: 256 hashes. The partial ones on the right stand in the log's `edge`. */
export const TileEntity = defineEntity({
  name: 'Tile',
  tableName: 'tile',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    epoch: p.integer().primary(),
    level: p.integer().primary(),
    index: p.bigint('number').primary(),
    hashes: p.blob(),
  },
});

/** What was signed about a log at one size; witnesses' cosignatures are added to the note as they come. */
export const CheckpointEntity = defineEntity({
  name: 'Checkpoint',
  tableName: 'checkpoint',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    epoch: p.integer().primary(),
    size: p.bigint('number').primary(),
    root: p.blob(),
    note: p.text(),
    /** The keys of the log that signed, as C2SP vkeys. */
    verifierKeys: p.type('text[]').$type<string[]>(),
    signedAt: p.datetime(3),
  },
});

/**
 * How far a consumer of the tenant's log has come. Whoever works for it holds this row locked, so that each batch
 * is taken once.
 */
export const FollowerEntity = defineEntity({
  name: 'Follower',
  tableName: 'follower',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    name: p.text().primary(),
    /** The place of the next entry that it takes. */
    epoch: p.integer(),
    nextIndex: p.bigint('number'),
    movedAt: p.datetime(3),
  },
});
