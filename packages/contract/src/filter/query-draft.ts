import type { PathRoot } from './fields.ts';
import { QuerySyntaxError } from './scan.ts';

type ListName = 'any' | 'all' | 'none';
type Lists = Partial<Record<ListName, string[]>>;

interface PathLists {
  readonly name: string;
  readonly path: string[];
  readonly lists: Lists;
}

/** Where a part of the filter stands in the query. */
export interface Origin {
  /** The key as written; `text` for words. */
  readonly key: string;
  readonly position: number;
}

/** A filter in the making: its values as written, unchecked, and their origins. */
export interface QueryDraft {
  readonly singles: Map<string, unknown>;
  readonly groups: Map<string, Lists>;
  readonly paths: Record<PathRoot, Map<string, PathLists>>;
  /** By the path by which an issue of the schema names the part, joined with dots. */
  readonly origins: Map<string, Origin>;
}

export function createDraft(): QueryDraft {
  return {
    singles: new Map(),
    groups: new Map(),
    paths: { metadata: new Map(), details: new Map() },
    origins: new Map(),
  };
}

/** Set a part that takes one value. A second one is refused, since either choice would surprise somebody. */
export function setSingle(draft: QueryDraft, name: string, single: { value: unknown; origin: Origin }): void {
  const { value, origin } = single;
  if (draft.singles.has(name)) {
    throw new QuerySyntaxError(origin.position, `${origin.key}: expected no second value for ${name}`);
  }
  draft.singles.set(name, value);
  draft.origins.set(name, origin);
}

interface ListedValue {
  readonly list: ListName;
  readonly value: string;
  readonly origin: Origin;
}

export function addValue(draft: QueryDraft, name: string, listed: ListedValue): void {
  const lists = draft.groups.get(name) ?? {};
  draft.groups.set(name, lists);
  append(draft, { name, lists }, listed);
}

export function addPathValue(
  draft: QueryDraft,
  path: { root: PathRoot; keys: string[]; position: number },
  listed: ListedValue,
): void {
  const filters = draft.paths[path.root];
  const key = JSON.stringify(path.keys);
  const filter = filters.get(key) ?? { name: `${path.root}.${filters.size}`, path: path.keys, lists: {} };
  filters.set(key, filter);
  draft.origins.set(`${filter.name}.path`, { key: listed.origin.key, position: path.position });
  append(draft, filter, listed);
}

function append(draft: QueryDraft, group: { name: string; lists: Lists }, listed: ListedValue): void {
  const { list, value, origin } = listed;
  const values = (group.lists[list] ??= []);
  for (const part of [group.name, `${group.name}.${list}`, `${group.name}.${list}.${values.length}`]) {
    draft.origins.set(part, origin);
  }
  values.push(value);
}

/** The input of the filter's schema that the draft has become. */
export function draftedFilter(draft: QueryDraft): object {
  return {
    ...Object.fromEntries(draft.singles),
    ...Object.fromEntries(draft.groups),
    metadata: pathFilters(draft.paths.metadata),
    details: pathFilters(draft.paths.details),
  };
}

function pathFilters(filters: Map<string, PathLists>): object[] {
  return Array.from(filters.values(), ({ path, lists }) => ({ path, ...lists }));
}

/** Where the part that an issue names stands; for one without an origin, that of what it is a part of. */
export function originOf(draft: QueryDraft, path: readonly PropertyKey[]): Origin | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const origin = draft.origins.get(path.slice(0, length).map(String).join('.'));
    if (origin !== undefined) return origin;
  }
  return undefined;
}
