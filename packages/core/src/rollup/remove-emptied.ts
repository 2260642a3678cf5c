import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import type { CubeName } from './cubes.ts';

/** A day of a cube whose counts have changed. */
export interface TouchedDay {
  readonly cube: CubeName;
  /** As 2026-01-31. */
  readonly day: string;
  /** Cells that have no activities on it any more. */
  readonly emptied: readonly number[];
  /** Whether the cube must be given up on it. */
  readonly full: boolean;
}

/** Remove the rows of cells that have no activities of a day any more, and with its last row each cell's values. */
export async function removeEmptied(tx: Tx, touched: readonly TouchedDay[]): Promise<void> {
  const rows = touched.flatMap(({ cube, day, emptied }) => emptied.map((cell) => ({ cube, day, cell })));
  if (rows.length === 0) return;
  const cells = rows.map(({ cell }) => cell);
  await tx.query(sql`
    delete from annals.rollup r
    using unnest(${rows.map(({ cube }) => cube)}::text[], ${rows.map(({ day }) => day)}::date[],
      ${cells}::int[]) as gone (cube, day, cell)
    where r.tenant_id = ${tx.tenantId} and r.cube = gone.cube and r.day = gone.day and r.cell = gone.cell`);
  await removeCells(tx, cells);
}

/** Remove those of these cells that no day has any more: their values can name a person. */
export async function removeCells(tx: Tx, cells: readonly number[]): Promise<void> {
  if (cells.length === 0) return;
  await tx.query(sql`
    delete from annals.rollup_cell c
    where c.tenant_id = ${tx.tenantId} and c.id = any(${[...new Set(cells)]}::int[])
      and not exists (
        select from annals.rollup r where r.tenant_id = c.tenant_id and r.cube = c.cube and r.cell = c.id)`);
}
