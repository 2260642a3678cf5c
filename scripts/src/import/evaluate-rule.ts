import type { JsonObject, JsonValue } from '@annals/contract';
import { findPath, type JsonPath } from './json-path.ts';
import { type Condition, isLike, type Rule } from './rule.ts';
import { applyTransforms, scalarText } from './transforms.ts';

/** What a rule yields, and the places of the source whose values it holds unchanged. */
export interface Reading {
  readonly value: JsonValue;
  readonly holds: readonly JsonPath[];
}

export interface Source {
  readonly object: JsonObject;
  readonly ignoreCase: boolean;
}

/** Undefined where the source has nothing for the rule, or nothing that the rule can use. */
export function evaluateRule(rule: Rule, source: Source): Reading | undefined {
  if (!holdsTrue(rule.when, source)) return undefined;
  for (const reading of candidates(rule, source)) {
    const finished = finish(rule, reading);
    if (finished !== undefined) return finished;
  }
  return undefined;
}

export function holdsTrue(condition: Condition, source: Source): boolean {
  return condition.every(({ path, like }) => {
    const value = presentValue(path, source)?.value;
    if (typeof like === 'boolean') return like === (value !== undefined);
    const text = value === undefined ? undefined : scalarText(value);
    return text !== undefined && like.some((pattern) => isLike(text, pattern));
  });
}

/** What the rule looked at and could not use, for the person who has to mend it. */
export function describeUnusable(rule: Rule, source: Source): string {
  const paths = [...new Set(pathsOf(rule).map((path) => path.join('.')))];
  const seen = paths.flatMap((path) => {
    const found = presentValue(path.split('.'), source);
    return found === undefined ? [] : [`${path} is ${shorten(JSON.stringify(found.value))}`];
  });
  if (seen.length > 0) return `nothing usable: ${seen.join(', ')}`;
  return paths.length === 1 ? `${paths[0]} is not there` : `none of ${paths.join(', ')} is there`;
}

// Null and blank texts are how logs write "nothing".
function presentValue(path: JsonPath, { object, ignoreCase }: Source): Reading | undefined {
  const found = findPath(object, path, { ignoreCase });
  if (found === undefined || found.value === null) return undefined;
  if (typeof found.value === 'string' && found.value.trim() === '') return undefined;
  return { value: found.value, holds: found.inList ? [] : [found.path] };
}

function* candidates(rule: Rule, source: Source): Generator<Reading> {
  if (rule.constant !== undefined) yield { value: rule.constant, holds: [] };
  if (rule.path !== undefined) {
    const found = presentValue(rule.path, source);
    if (found !== undefined) yield found;
  }
  for (const alternative of rule.firstOf ?? []) {
    const found = evaluateRule(alternative, source);
    if (found !== undefined) yield found;
  }
  if (rule.template !== undefined) {
    const text = fillTemplate(rule.template, source);
    if (text !== undefined) yield { value: text, holds: [] };
  }
}

function finish(rule: Rule, reading: Reading): Reading | undefined {
  const text = scalarText(reading.value);
  if (text !== undefined && rule.ignore.some((pattern) => isLike(text, pattern))) return undefined;
  const changed = applyTransforms(reading.value, rule.transform);
  if (changed === undefined) return undefined;
  const holds = changed.exact ? reading.holds : [];
  if (rule.map === undefined) return { value: changed.value, holds };
  const key = scalarText(changed.value);
  const [, mapped] = (key === undefined ? undefined : rule.map.find(([like]) => isLike(key, like))) ?? [];
  if (mapped === undefined || mapped === null) return undefined;
  return { value: mapped, holds: mapped === changed.value ? holds : [] };
}

function fillTemplate(parts: readonly (string | Rule)[], source: Source): string | undefined {
  let text = '';
  for (const part of parts) {
    const reading = typeof part === 'string' ? { value: part } : evaluateRule(part, source);
    const filled = reading === undefined ? undefined : scalarText(reading.value);
    if (filled === undefined) return undefined;
    text += filled;
  }
  return text;
}

function pathsOf(rule: Rule): JsonPath[] {
  const inTemplate = (rule.template ?? []).filter((part) => typeof part !== 'string');
  return [...(rule.path ? [rule.path] : []), ...[...(rule.firstOf ?? []), ...inTemplate].flatMap(pathsOf)];
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
