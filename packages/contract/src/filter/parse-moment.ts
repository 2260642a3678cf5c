import { QuerySyntaxError } from './scan.ts';
import { filterMoment } from './value.ts';

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

interface Written {
  readonly key: string;
  readonly value: string;
  readonly position: number;
}

/** The moment that `2026-01-31` (midnight in UTC) or an ISO 8601 time with its zone stands for. */
export function parseMoment({ key, value, position }: Written): Date {
  const parsed = filterMoment.safeParse(/^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00:00Z` : value);
  if (parsed.success) return parsed.data;
  const duration = key === 'since' ? 'a duration as 7d (units s, m, h, d, w), ' : '';
  throw new QuerySyntaxError(
    position,
    `${key}: expected ${duration}a day as 2026-01-31 or a time with its zone as 2026-01-31T12:00:00Z, in the years 1 to 9999`,
  );
}

/** As `parseMoment`, or so long before now as `7d` or `12h` says. */
export function parseSince(written: Written, now: Date): Date {
  const [, amount, unit] = /^(\d{1,9})([smhdw])$/.exec(written.value) ?? [];
  if (amount === undefined || unit === undefined) return parseMoment(written);
  const since = new Date(now.getTime() - Number(amount) * unitsMs[unit as keyof typeof unitsMs]);
  const parsed = filterMoment.safeParse(since);
  if (parsed.success) return parsed.data;
  throw new QuerySyntaxError(
    written.position,
    'since: expected a duration that does not reach beyond the year 1',
  );
}
