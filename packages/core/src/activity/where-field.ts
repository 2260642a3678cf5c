import { actionPrefix, type FilterFieldKind } from '@annals/contract';
import { type RawBuilder, sql } from 'kysely';
import type { FieldColumn } from './columns.ts';

/** That the field equals one of the values; null where the record has none. */
export function equalsAny(field: FieldColumn, values: readonly string[]): RawBuilder<boolean> {
  return compareByKind[field.kind](field, values);
}

type Compare = (field: FieldColumn, values: readonly string[]) => RawBuilder<boolean>;

/** One value is compared by `=`: an index then also gives the order by time, which `any` of a list does not. */
const plain: Compare = ({ column, type }, values) =>
  values.length === 1
    ? sql`${sql.ref(column)} = ${values[0]}::${sql.raw(type)}`
    : sql`${sql.ref(column)} = any(${values}::${sql.raw(type)}[])`;

const compareByKind: Record<FilterFieldKind, Compare> = {
  text: plain,
  enum: plain,
  uuid: plain,
  action: (field, values) => {
    const prefixes = values.map(actionPrefix).filter((prefix) => prefix !== undefined);
    const whole = values.filter((value) => actionPrefix(value) === undefined);
    return sql`(${sql.join(
      [
        ...(whole.length > 0 ? [plain(field, whole)] : []),
        // Becomes a range of the index where the database's collation compares bytes, and is right in any.
        ...prefixes.map((prefix) => sql`starts_with(${sql.ref(field.column)}, ${prefix})`),
      ],
      sql` or `,
    )})`;
  },
  // Addresses are checked before they are stored, so the cast cannot fail. An address is a range of one.
  ip: ({ column }, values) => sql`${sql.ref(column)}::inet <<= any(${values}::inet[])`,
};
