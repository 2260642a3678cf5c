import { z } from 'zod';
import { parseTransform, type Transform } from './transforms.ts';

export type Scalar = string | number | boolean;

/** What must hold of the source: at each path a scalar like one of the patterns, anything, or nothing. */
export type Condition = readonly { readonly path: readonly string[]; readonly like: Like }[];
type Like = boolean | readonly string[];

/**
 * Where one value comes from. Exactly one of `path`, `firstOf`, `constant` and `template` is there; the other
 * parts work on what it yields, in the order in which they stand here.
 */
export interface Rule {
  readonly when: Condition;
  readonly path?: readonly string[];
  readonly firstOf?: readonly Rule[];
  readonly constant?: Scalar;
  readonly template?: readonly (string | Rule)[];
  /** Values, or patterns of them, that count as absent. */
  readonly ignore: readonly string[];
  readonly transform: readonly Transform[];
  /** From what a value is like to what it becomes; null is absent. What is like none of them is absent too. */
  readonly map?: readonly (readonly [string, Scalar | null])[];
}

// No union, whose refusals would not say what is wrong.
const oneOrMany = <T extends z.ZodType>(schema: T) =>
  z.preprocess((input) => (Array.isArray(input) ? input : [input]), z.array(schema).min(1));

const scalar = z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number or a boolean');
const pattern = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const dottedPath = z
  .string()
  .regex(/^[^.]+(\.[^.]+)*$/, 'must be a path, as userIdentity.arn')
  .transform((path) => path.split('.'));
/** A path as `userIdentity.arn`, or as a list of keys where one of them holds a dot. */
export const path = z.union(
  [dottedPath, z.array(z.string().min(1)).min(1)],
  'must be a path, as userIdentity.arn',
);

export const condition = z
  .record(
    z.string(),
    z.union(
      [z.boolean(), oneOrMany(pattern)],
      'must be a pattern, a list of patterns, true (present) or false (absent)',
    ),
  )
  .transform(
    (paths): Condition => Object.entries(paths).map(([key, like]) => ({ path: key.split('.'), like })),
  );

const transformStep = z.string().transform((text, context): Transform => {
  const parsed = parseTransform(text);
  if (typeof parsed !== 'string') return parsed;
  context.addIssue({ code: 'custom', message: parsed });
  return z.NEVER;
});

const ruleObject = z.strictObject({
  when: condition.default([]),
  path: path.optional(),
  from: z.lazy(() => oneOrMany(rule)).optional(),
  const: scalar.optional(),
  template: z.string().min(1).optional(),
  ignore: oneOrMany(pattern).optional(),
  transform: oneOrMany(transformStep).optional(),
  map: z.record(z.string(), z.union([scalar, z.null()])).optional(),
});

/**
 * A rule as a mapping file writes it: a path; a list of rules, of which the first that yields something
 * decides; or an object.
 */
export const rule: z.ZodType<Rule> = z
  .preprocess(
    (input) => {
      if (typeof input === 'string') return { path: input };
      return Array.isArray(input) ? { firstOf: input } : input;
    },
    ruleObject.extend({ firstOf: z.lazy(() => z.array(rule).min(1)).optional() }),
  )
  .transform((input, context): Rule => {
    const { from, const: constant, template, map, when, ignore = [], transform = [] } = input;
    const firstOf = from ?? input.firstOf;
    const sources = [input.path, firstOf, constant, template].filter((source) => source !== undefined);
    if (sources.length !== 1 || (from !== undefined && input.firstOf !== undefined)) {
      context.addIssue({
        code: 'custom',
        message: 'must have exactly one of path, from, const and template',
      });
      return z.NEVER;
    }
    return {
      when,
      ignore,
      transform,
      ...(input.path && { path: input.path }),
      ...(firstOf && { firstOf }),
      ...(constant !== undefined && { constant }),
      ...(template !== undefined && { template: parseTemplate(template, context) }),
      ...(map && { map: exactFirst(map) }),
    };
  });

/** Whether a text is like a pattern, in which `*` stands for any text, also none. */
export function isLike(text: string, pattern: string): boolean {
  if (!pattern.includes('*')) return text === pattern;
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

// `{a.b,c|key}`: paths of which the first with a value counts, then transforms.
function parseTemplate(template: string, context: z.RefinementCtx): (string | Rule)[] {
  const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['template'], message });
  const parts = template.split(/(\{[^{}]*\})/).filter((part) => part !== '');
  return parts.map((part) => {
    if (!part.startsWith('{')) {
      if (/[{}]/.test(part)) refuse('must have a closing brace for each opening one');
      return part;
    }
    const [paths = '', ...steps] = part.slice(1, -1).split('|');
    const parsed = rule.safeParse({
      firstOf: paths.split(','),
      ...(steps.length > 0 && { transform: steps }),
    });
    if (parsed.success) return parsed.data;
    refuse(`${part}: ${parsed.error.issues[0]?.message ?? 'must be a path'}`);
    return '';
  });
}

// JSON readers put keys such as "2" before others, so the order of the file cannot decide alone.
function exactFirst(map: Record<string, Scalar | null>): (readonly [string, Scalar | null])[] {
  const entries = Object.entries(map);
  return [...entries.filter(([key]) => !key.includes('*')), ...entries.filter(([key]) => key.includes('*'))];
}
