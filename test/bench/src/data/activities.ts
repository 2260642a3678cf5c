import type { ActivityInput } from '@annals/contract';
import { v7 } from 'uuid';
import { createRandom, createZipf } from './random.ts';

const words =
  'invoice customer order payment account report request updated created exported viewed changed by team plan region'.split(
    ' ',
  );
const domains = ['invoice', 'order', 'user', 'report', 'project', 'document', 'payment', 'session'];
const verbs = ['created', 'updated', 'deleted', 'viewed', 'exported', 'shared', 'approved', 'rejected'];
const agents = Array.from(
  { length: 40 },
  (_, at) => `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + at}.0`,
);

export interface DataOptions {
  readonly seed: number;
  /** Milliseconds since 1970 of the first activity. */
  readonly startMs: number;
  /** Mean milliseconds between two. */
  readonly stepMs: number;
}

/**
 * Activities without end, the same for the same seed: about 1 kB of JSON each with some 400 bytes of metadata
 * in 6 keys; actors, actions and targets by Zipf's law; in bursts.
 */
export function* generateActivities({
  seed,
  startMs,
  stepMs,
}: DataOptions): Generator<ActivityInput & { id: string }> {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const actor = createZipf(random, 5_000);
  const target = createZipf(random, 50_000);
  const action = createZipf(random, domains.length * verbs.length);
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  const phrase = (count: number) => Array.from({ length: count }, () => pick(words)).join(' ');
  let at = startMs;
  for (;;) {
    // Nine of ten follow at once, the tenth after a pause.
    at += random() < 0.9 ? random() * stepMs * 0.2 : random() * stepMs * 18.2;
    const occurredAt = new Date(Math.floor(at));
    const who = actor();
    const what = action();
    const domain = domains[what % domains.length] as string;
    const verb = verbs[Math.floor(what / domains.length)] as string;
    const rank = target();
    const id = v7({
      msecs: occurredAt.getTime(),
      random: Uint8Array.from({ length: 16 }, () => random() * 256),
    });
    yield {
      id,
      occurredAt,
      action: `${domain}.${verb}`,
      kind: 'activity',
      severity: random() < 0.97 ? 'info' : 'error',
      outcome: random() < 0.95 ? 'success' : 'failure',
      actor: { type: 'user', id: `usr_${who}`, label: `Person Number ${who}` },
      target: { type: domain, id: `${domain}_${rank}` },
      message: phrase(8),
      context: {
        ip: `10.${who >> 8}.${who & 255}.${rank & 255}`,
        userAgent: pick(agents),
        requestId: `req_${hex(16)}`,
        sessionId: `ses_${hex(12)}`,
      },
      metadata: {
        plan: pick(['free', 'pro', 'enterprise']),
        amountCents: Math.floor(random() * 1_000_000),
        region: pick(['eu-west-1', 'us-east-1', 'ap-south-1']),
        correlation: hex(32),
        note: phrase(24),
        change: { field: pick(words), before: phrase(4), after: phrase(4), reviewed: random() < 0.5 },
      },
    };
  }
}

/** The next so many; `take` of iterators would end the generator. */
export function takeNext<T>(generator: Generator<T>, count: number): T[] {
  return Array.from({ length: count }, () => generator.next().value as T);
}
