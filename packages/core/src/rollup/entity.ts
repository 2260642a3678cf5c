import { defineEntity, p } from '@mikro-orm/core';
import { tenantFilter } from '../database/tenant-filter.ts';
import type { CubeName } from './cubes.ts';

/**
 * How many activities of a cell occurred on a day (UTC), by quarter of an hour. Counts are running totals of the
 * day, so that those of any part of it are the difference of two (docs/adr/0017).
 */
export const RollupEntity = defineEntity({
  name: 'Rollup',
  tableName: 'rollup',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    cube: p.type('text').$type<CubeName>().primary(),
    day: p.type('date').$type<string>().primary(),
    /** 0, which is no cell, for a day on which the cube has too many: nothing else of the cube is kept of it. */
    cell: p.integer().primary(),
    /** The quarters of an hour of the day, from 0, in which something occurred, in order. */
    slots: p.type('smallint[]').$type<string>(),
    /** For each of them, how many occurred on the day until its end. */
    counts: p.type('int[]').$type<string>(),
  },
});

/** Activities that have the same values in the dimensions of a cube. */
export const RollupCellEntity = defineEntity({
  name: 'RollupCell',
  tableName: 'rollup_cell',
  filters: tenantFilter,
  properties: {
    tenantId: p.text().primary(),
    /** From 1, given out by whoever holds the follower. */
    id: p.integer().primary(),
    cube: p.type('text').$type<CubeName>(),
    /** In the order of the cube's dimensions; null where the activities have none. */
    values: p.type('text[]').$type<(string | null)[]>(),
  },
  uniques: [{ name: 'rollup_cell_values_idx', properties: ['tenantId', 'cube', 'values'] }],
});
