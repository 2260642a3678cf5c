import { type RawBuilder, sql } from 'kysely';

/** Many byte strings for one statement. */
export interface PackedBytes {
  /** The one at a place, from 0. */
  pick(place: RawBuilder<number>): RawBuilder<Buffer | null>;
}

/** As two parameters: an array of them would travel as text, in twice as many bytes. */
export function packBytes(values: readonly (Uint8Array | undefined)[]): PackedBytes {
  const bytes = Buffer.concat(values.filter((value) => value !== undefined));
  const ends: (number | null)[] = [];
  let end = 0;
  for (const value of values) ends.push(value ? (end += value.length) : null);
  const lengths = values.map((value) => value?.length ?? null);
  return {
    pick: (place) => sql`substring(${bytes}::bytea
      from (${ends}::int[])[${place} + 1] - (${lengths}::int[])[${place} + 1] + 1
      for (${lengths}::int[])[${place} + 1])`,
  };
}
