import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { cubes } from './cubes.ts';
import { removeCells, type TouchedDay } from './remove-emptied.ts';

/**
 * Give a cube up on the days on which it has more cells than it may: it would cost more to keep than it saves. The
 * cubes of one dimension go on counting these days, and whoever needs more reads the activities themselves.
 */
export async function closeFullDays(tx: Tx, touched: readonly TouchedDay[]): Promise<void> {
  for (const { name, cellsPerDayMax } of cubes) {
    const days = touched.filter(({ cube }) => cube === name);
    if (cellsPerDayMax === undefined || days.length === 0) continue;
    const rows = await tx.query(sql<{ cell: number }>`
      with full_days as materialized (
        select distinct day
        from unnest(${days.map(({ day }) => day)}::date[], ${days.map(({ full }) => full)}::bool[]) as touched (day, is_full)
        where is_full or ${cellsPerDayMax} < (
          select count(*) from (
            select from annals.rollup r
            where r.tenant_id = ${tx.tenantId} and r.cube = ${name} and r.day = touched.day
            limit ${cellsPerDayMax + 1}
          ) as first_ones)
      ), given_up as (
        delete from annals.rollup r using full_days
        where r.tenant_id = ${tx.tenantId} and r.cube = ${name} and r.day = full_days.day
        returning r.cell
      ), closed as (
        insert into annals.rollup (tenant_id, cube, day, cell, slots, counts)
        select ${tx.tenantId}, ${name}, day, 0, '{}', '{}' from full_days
      )
      select cell from given_up`);
    await removeCells(
      tx,
      rows.map(({ cell }) => cell),
    );
  }
}
