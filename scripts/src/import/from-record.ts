import type { ActivityInput, JsonObject, JsonValue } from '@annals/contract';
import { mask } from '@annals/contract';
import { contentHash } from './canonical-json.ts';
import { isJsonObject } from './json-path.ts';
import { type Mapped, refuse } from './outcome.ts';

/**
 * An activity from a record as `annals export` writes it, or as `activity.log` takes it.
 *
 * The record keeps its id. What belongs to the place where it was is left out: its tenant, when it was
 * recorded there, and which of its fields were erased there. A record without an id and key of its own gets a
 * key from its content. Refused: one without a time, and one that was exported without sight of personal
 * fields, whose masks would be stored as if they were values.
 */
export function fromRecord(record: JsonObject): Mapped {
  const { tenantId: _tenant, recordedAt: _recorded, erased: _erased, ...activity } = record;
  if (activity['occurredAt'] === undefined || activity['occurredAt'] === null) {
    return refuse('occurredAt', 'is missing: a record without a time is not given the time of its import');
  }
  const masked = findMask(record, []);
  if (masked !== undefined) {
    return refuse(masked, 'is masked: export again with a key that has the scope personal:read');
  }
  const key =
    activity['id'] === undefined && activity['idempotencyKey'] === undefined
      ? { idempotencyKey: `annals:${contentHash(record)}` }
      : {};
  return { activity: { ...activity, ...key } as ActivityInput };
}

function findMask(value: JsonValue, path: readonly string[]): string | undefined {
  if (value === mask) return path.join('.');
  if (typeof value !== 'object' || value === null) return undefined;
  const items = isJsonObject(value)
    ? Object.entries(value)
    : value.map((item, index) => [String(index), item] as const);
  for (const [key, item] of items) {
    const found = findMask(item, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}
