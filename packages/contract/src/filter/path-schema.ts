import { z } from 'zod';
import { limits } from '../limits.ts';
import { pathRoots, presenceFields } from './fields.ts';
import type { PathFilter, Presence } from './filter.ts';
import { asArray, isPlainObject, textList, withoutEmpty } from './group.ts';
import { parsePath } from './path.ts';
import { QuerySyntaxError } from './scan.ts';
import { jsonKey, jsonText, oneOf } from './value.ts';

const keys = z
  .array(jsonKey)
  .min(1, 'must hold at least one key')
  .max(limits.metadataPathDepthMax, `must be at most ${limits.metadataPathDepthMax} keys deep`);

const path = z.preprocess(
  (input, context) => (typeof input === 'string' ? pathOrIssue(input, context) : input),
  keys,
);

const pathFilter = z
  .strictObject({ path, any: textList(jsonText), none: textList(jsonText) })
  .transform(({ path, any = [], none = [] }): PathFilter => ({ path, ...withoutEmpty({ any, none }) }));

/** `metadata` or `details` of a filter: a list, or a record of paths and values. */
export const pathFilters = z
  .preprocess(
    (input) =>
      isPlainObject(input)
        ? Object.entries(input).map(([path, value]) => ({ path, any: asArray(value) }))
        : input,
    z
      .array(pathFilter)
      .max(limits.filterTermsMax, `must be at most ${limits.filterTermsMax} paths`)
      .superRefine(refuseRepeatedPaths)
      .transform((filters) => filters.filter(({ any, none }) => any ?? none))
      .optional(),
  )
  .optional();

const presenceExpected = 'must be a field as ip, or a path as metadata.plan';

/** A field or a path whose presence is asked for. Not a union, whose refusals would not say what is wrong. */
export const presence = z.preprocess(
  (input, context) => (typeof input === 'string' ? presenceOrIssue(input, context) : input),
  z
    .strictObject({
      field: z.enum(presenceFields, presenceExpected).optional(),
      root: oneOf(pathRoots).optional(),
      path: keys.optional(),
    })
    .transform(({ field, root, path }, context): Presence => {
      if (field !== undefined && root === undefined && path === undefined) return { field };
      if (field === undefined && root !== undefined && path !== undefined) return { root, path };
      context.addIssue({ code: 'custom', message: presenceExpected });
      return z.NEVER;
    }),
);

function presenceOrIssue(input: string, context: z.RefinementCtx): unknown {
  const root = pathRoots.find((each) => input.startsWith(`${each}.`));
  return root === undefined
    ? { field: input }
    : { root, path: pathOrIssue(input.slice(root.length + 1), context) };
}

function pathOrIssue(input: string, context: z.RefinementCtx): unknown {
  try {
    return parsePath(input);
  } catch (error) {
    if (!(error instanceof QuerySyntaxError)) throw error;
    context.addIssue({ code: 'custom', message: `must be a path as plan.name: ${error.message}` });
    return z.NEVER;
  }
}

// Two filters of one path would both have to hold, where one filter's values are alternatives.
function refuseRepeatedPaths(filters: PathFilter[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { path }] of filters.entries()) {
    const key = JSON.stringify(path);
    if (seen.has(key)) {
      context.addIssue({
        code: 'custom',
        path: [index, 'path'],
        message: 'must not occur twice: join the values',
      });
    }
    seen.add(key);
  }
}

/** The canonical text of a presence, by which two are equal. */
export function presenceKey(presence: Presence): string {
  return 'field' in presence ? presence.field : JSON.stringify([presence.root, presence.path]);
}
