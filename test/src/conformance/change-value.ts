/** Numbers that choose what is changed and to what, by the remainder. */
export interface Choice {
  readonly place: number;
  readonly how: number;
}

type Container = Record<string, unknown> | unknown[];

/** A member of an object or of a list. */
interface Member {
  readonly of: Container;
  readonly key: string;
  readonly path: string;
}

/**
 * Change one member of a value, at any depth and in place; returns what was done. `others` are values of
 * the same form, whose members are taken now and then.
 */
export function changeValue(value: object, others: readonly object[], { place, how }: Choice): string {
  const members = membersOf(value).filter(({ path }) => path !== '.type');
  const member = members[place % members.length];
  if (!member) return 'nothing';
  const { of, key, path } = member;
  const alike = others.flatMap((each) => membersOf(each)).filter((each) => each.path === path);
  const other = alike[how % Math.max(1, alike.length)];
  const changes = changesOf(get(member), other && get(other));
  const [name, to] = changes[how % changes.length] ?? ['null', null];
  if (name === 'delete') remove(of, key);
  else if (name === 'rename') {
    set(of, `${key}x`, get(member));
    remove(of, key);
  } else set(of, name === 'add' ? `a${key}` : key, to);
  return `${path}: ${name}`;
}

function membersOf(value: unknown, path = ''): Member[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    { of: value as Container, key, path: `${path}.${key}` },
    ...membersOf(inner, `${path}.${key}`),
  ]);
}

function get({ of, key }: Member): unknown {
  return (of as Record<string, unknown>)[key];
}

function set(of: Container, key: string, value: unknown): void {
  (of as Record<string, unknown>)[key] = value;
}

function remove(of: Container, key: string): void {
  if (Array.isArray(of)) of.splice(Number(key), 1);
  else Reflect.deleteProperty(of, key);
}

type Change = readonly [name: string, to?: unknown];

function changesOf(value: unknown, other: unknown): Change[] {
  const any: Change[] = [
    ['delete'],
    ['rename'],
    ['add', 'x'],
    ['null', null],
    ['list', []],
    ['object', {}],
    ['from another', structuredClone(other) ?? null],
  ];
  if (typeof value === 'string') return [...any, ...textChanges(value)];
  if (typeof value === 'number') return [...any, ...numberChanges(value)];
  if (typeof value === 'boolean') return [...any, ['not', !value], ['not', !value]];
  if (Array.isArray(value)) return [...any, ['reverse', value.toReversed()], ['twice', [...value, ...value]]];
  return any;
}

function numberChanges(value: number): Change[] {
  const to = [value + 1, value - 1, 0, -1, value + 0.5, value * 2 ** 32, 2 ** 53, 1e300, String(value)];
  return to.map((each) => [`to ${each}`, each]);
}

function textChanges(value: string): Change[] {
  return [
    ['empty', ''],
    ['longer', `${value}x`],
    ['a blank more', `${value} `],
    ['a lone surrogate more', `${value}\ud800`],
    ['a number', 1],
    ['in upper case', value.toUpperCase()],
    ['without its end', value.slice(0, -1)],
    ...(/^[A-Za-z0-9+/]{4,}=*$/.test(value) ? base64Changes(value) : []),
    ...(/^\d{4}-\d\d-\d\dT/.test(value) ? timeChanges(value) : []),
  ];
}

function base64Changes(value: string): Change[] {
  const bytes = Buffer.from(value, 'base64');
  const places = [0, 1, 2, Math.floor(bytes.length / 2), bytes.length - 17, bytes.length - 1];
  return [
    ...places
      .filter((at) => bytes[at] !== undefined)
      .map((at): Change => {
        const turned = Buffer.from(bytes);
        turned[at] = (turned[at] ?? 0) ^ (1 << (at % 8));
        return [`a bit of byte ${at}`, turned.toString('base64')];
      }),
    ['a byte less', bytes.subarray(0, -1).toString('base64')],
    ['a byte more', Buffer.concat([bytes, Buffer.of(1)]).toString('base64')],
    ['unpadded', value.replace(/=+$/, '')],
  ];
}

function timeChanges(value: string): Change[] {
  const time = new Date(value).getTime();
  return [
    ...(Number.isFinite(time) ? [['later', new Date(time + 1).toISOString()] as const] : []),
    ['with an offset', value.replace('Z', '+00:00')],
    ['without milliseconds', value.replace(/\.\d+/, '')],
    ['before 1970', '1969-12-31T23:59:59.999Z'],
    ['no day', value.replace(/-\d\dT/, '-32T')],
  ];
}
