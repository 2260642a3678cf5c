import { readFile } from 'node:fs/promises';
import { detailsByKind } from '@annals/contract';
import { z } from 'zod';
import { UsageError } from '../cli/exit.ts';
import { condition, path, rule } from './rule.ts';

/** One way to fill a group of fields, or several of which the first that applies counts. */
function variants<Shape extends z.ZodRawShape>(shape: Shape) {
  const variant = z.strictObject({ when: condition.default([]), ...shape });
  return z
    .preprocess((input) => (Array.isArray(input) ? input : [input]), z.array(variant).min(1))
    .optional();
}

function rulesFor<const Names extends readonly string[]>(names: Names) {
  return z.strictObject(
    Object.fromEntries(names.map((name) => [name, rule.optional()])) as Record<
      Names[number],
      z.ZodOptional<typeof rule>
    >,
  );
}

function detailsOf(kind: keyof typeof detailsByKind) {
  return rulesFor(Object.keys(detailsByKind[kind].shape)).optional();
}

const details = z.strictObject({
  auth: detailsOf('auth'),
  data_access: detailsOf('data_access'),
  data_change: detailsOf('data_change'),
  api_call: detailsOf('api_call'),
  external_call: detailsOf('external_call'),
  system: detailsOf('system'),
});

const fields = z.strictObject({
  action: rule,
  occurredAt: rule,
  ...rulesFor([
    'scopeId',
    'kind',
    'operation',
    'severity',
    'outcome',
    'visibility',
    'channel',
    'source',
    'message',
    'reason',
  ]).shape,
  actor: variants({ type: rule, id: rule.optional(), label: rule.optional() }).unwrap(),
  subject: variants({ id: rule }),
  target: variants({ type: rule, id: rule, label: rule.optional() }),
  context: rulesFor(['ip', 'userAgent', 'requestId', 'sessionId', 'traceId', 'spanId']).optional(),
  /** Each rule gives a tag, or one for each item of a list. */
  tags: z.array(rule).default([]),
  /** By the kind that the record turns out to have. */
  details: details.default({}),
});

const metadata = z
  .strictObject({
    /** Keep all that no field holds unchanged. */
    rest: z.boolean().default(false),
    /** What of the rest is left out on purpose, as secrets. */
    omit: z.array(path).default([]),
    fields: z.record(z.string().min(1), rule).default({}),
  })
  // Together, a named field could hide one of the rest.
  .refine(
    ({ rest, fields }) => !rest || Object.keys(fields).length === 0,
    'must have rest or fields, not both',
  );

/**
 * How the objects of a foreign log become activities: a JSON file, documented in docs/import.md.
 *
 * Every field is filled by a rule; a value that no field holds unchanged stays in metadata under `rest`.
 */
export const Mapping = z.strictObject({
  version: z.literal(1),
  /** Part of every derived id: changing it makes the same events new ones. */
  format: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z 0-9 _ -'),
  description: z.string().optional(),
  /** Find keys in any case where they are not there as written. */
  ignoreCase: z.boolean().default(false),
  fields,
  metadata: metadata.prefault({}),
});
export type Mapping = z.output<typeof Mapping>;

/** Validate a mapping; throws UsageError that names every bad part. */
export function parseMapping(input: unknown, name: string): Mapping {
  const parsed = Mapping.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'mapping'}: ${message}`,
  );
  throw new UsageError(`${name} is not a usable mapping:\n${problems.join('\n')}`);
}

export async function readMapping(file: string): Promise<Mapping> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as a mapping: ${(error as Error).message}`);
  }
  return parseMapping(json, file);
}
