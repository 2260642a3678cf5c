/** What is wrong with an input, where, and which limit it passed. */
export interface Problem {
  readonly message: string;
  readonly path: string;
  readonly limit?: number;
}

/** The part of a zod issue that tells this. */
export interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  readonly maximum?: number | bigint;
  readonly minimum?: number | bigint;
  readonly discriminator?: string | undefined;
  readonly options?: readonly unknown[] | undefined;
  readonly errors?: readonly (readonly Issue[])[];
}

/** The first issue of a refused input as a problem; `root` is where the input itself stands. */
export function firstProblem(issues: readonly Issue[], root: string): Problem {
  const [issue] = issues;
  if (issue === undefined) return { message: 'is invalid', path: root };
  const path = [root, ...issue.path.map(String)].filter((part) => part !== '').join('.');
  if (issue.code === 'unrecognized_keys') {
    return { message: 'is not a known field', path: [path, issue.keys?.[0]].filter(Boolean).join('.') };
  }
  if (issue.code === 'invalid_union') return unionProblem(issue, path);
  const limit = issue.code === 'too_big' ? issue.maximum : issue.minimum;
  return { message: issue.message, path, ...(limit !== undefined && { limit: Number(limit) }) };
}

/**
 * A union with a message of its own says what it takes. One with a discriminator lists the values of that.
 * Of any other, the branch that came furthest into the input is the one that was meant.
 */
function unionProblem(issue: Issue, path: string): Problem {
  if (issue.discriminator !== undefined && issue.options) {
    const known = issue.options.filter((option) => typeof option === 'string');
    return { message: `must be one of ${known.join(', ')}`, path };
  }
  const depth = (branch: readonly Issue[]) => branch[0]?.path.length ?? 0;
  const [nearest] = (issue.errors ?? []).toSorted((a, b) => depth(b) - depth(a));
  if (nearest === undefined || issue.message !== 'Invalid input') return { message: issue.message, path };
  return firstProblem(nearest, path);
}
