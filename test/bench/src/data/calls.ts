import type { NewActivity } from '@annals/core/bench';
import { generateActivities } from './activities.ts';
import { createRandom, createZipf } from './random.ts';

/** What one call hands in: of one tenant. */
export interface Call {
  readonly tenantId: string;
  readonly activities: NewActivity[];
}

/** `tenant-0` and so on. */
export const tenantCount = 16;
const samplesMax = 20_000;

/**
 * Calls without end, of tenants by Zipf's law. Each activity is new: a sample with an id and a time of its own, so
 * that making them takes next to nothing of what is measured. They are valid, and whole as validation makes them.
 */
export function createCalls(startMs: number): (size: number) => Call {
  const tenant = createZipf(createRandom(3), tenantCount);
  const samples = generateActivities({ seed: 2, startMs, stepMs: 1_000 })
    .take(samplesMax)
    .map((sample) => ({ ...sample, visibility: 'internal', tags: [] }) as unknown as NewActivity)
    .toArray();
  let serial = Math.floor(Math.random() * 2 ** 40);
  let from = 0;
  return (size) => {
    if (from + size > samples.length) from = 0;
    const chosen = samples.slice(from, (from += size));
    const activities = chosen.map((sample) => {
      serial += 1;
      const occurredAt = new Date(startMs + (serial % 80_000_000));
      return { ...sample, occurredAt, id: idOf(occurredAt, serial) };
    });
    return { tenantId: `tenant-${tenant()}`, activities };
  };
}

function idOf(occurredAt: Date, serial: number): string {
  const time = occurredAt.getTime().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${serial.toString(16).padStart(12, '0')}`;
}
