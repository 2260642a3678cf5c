/** A moment read from a source. `exact` is false where digits below the millisecond were dropped. */
export interface ReadTime {
  readonly iso: string;
  readonly exact: boolean;
}

const shape =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?\s?(?:(Z|UTC)|([+-])(\d{2}):?(\d{2}))?$/i;

// 1973: below it, seconds would pass for milliseconds; from it on (the year 5138), the other way round.
const millisecondsMin = 1e11;

/**
 * Read `2024-12-17T10:30:00.123456789Z`, with a blank for the T, up to nine decimals, an offset, or no zone:
 * audit logs that leave the zone out mean UTC.
 *
 * Undefined for anything else, for dates that no calendar has, and for 1970-01-01T00:00:00Z and before, which
 * is what an unset clock writes.
 */
export function parseTimeText(text: string): ReadTime | undefined {
  const match = shape.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', , sign, offsetHours, offsetMinutes] = match;
  const fields = [year, Number(month) - 1, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const local = new Date(Date.UTC(...fields));
  if (local.toISOString().slice(0, 19) !== `${year}-${month}-${day}T${hour}:${minute}:${second}`) {
    return undefined;
  }
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === '-' ? -1 : 1);
  if (Math.abs(offset) > 14 * 60 || Number(offsetMinutes ?? 0) > 59) return undefined;
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3));
  return fromEpoch(local.getTime() - offset * 60_000 + milliseconds, !/[1-9]/.test(fraction.slice(3)));
}

/** Read milliseconds since 1970, from a number or its text; undefined where they can hardly be milliseconds. */
export function parseEpochMs(value: number | string): ReadTime | undefined {
  const number = toNumber(value);
  return number >= millisecondsMin ? fromEpoch(Math.trunc(number), Number.isInteger(number)) : undefined;
}

/** Read seconds since 1970, with decimals; undefined where they can hardly be seconds. */
export function parseEpochSeconds(value: number | string): ReadTime | undefined {
  const milliseconds = toNumber(value) * 1_000;
  if (!(milliseconds < millisecondsMin * 1_000)) return undefined;
  const rounded = Math.round(milliseconds);
  return fromEpoch(rounded, Math.abs(rounded - milliseconds) < 1e-3);
}

function fromEpoch(epochMs: number, exact: boolean): ReadTime | undefined {
  if (!(epochMs > 0) || epochMs > 253_402_300_799_999) return undefined;
  return { iso: new Date(epochMs).toISOString(), exact };
}

function toNumber(value: number | string): number {
  if (typeof value === 'number') return value;
  return /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : Number.NaN;
}
