import type { FacetField } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import { fieldText } from './columns.ts';
import type { Condition } from './where.ts';

export interface ValueCount {
  readonly value: string;
  readonly count: number;
}

export interface TopValues {
  readonly field: FacetField;
  readonly where: Condition;
  readonly limit: number;
}

/** The values of a field in the records that a condition selects: largest counts first, equal ones by value. */
export function topValues({ field, where, limit }: TopValues): RawBuilder<ValueCount> {
  const value = field === 'tag' ? sql`tag` : fieldText(field);
  return sql`
    select value, count(*)::float8 as count
    from (
      select ${value} as value from annals.activity
      ${field === 'tag' ? sql`cross join lateral unnest(tags) as tag` : sql``}
      where ${where}
    ) as found
    where value is not null
    group by value order by count desc, value limit ${limit}`;
}
