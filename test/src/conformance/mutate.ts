import type { BundleLine } from '@annals/tlog';
import * as fc from 'fast-check';
import { changeText } from './change-text.ts';
import { changeValue } from './change-value.ts';
import { forge } from './forge.ts';

/** What is done to a bundle or a certificate; numbers choose, by the remainder of what there is to choose from. */
export interface Mutation {
  /** Of which exhibit. */
  readonly exhibit: number;
  readonly kind: 'value' | 'line' | 'text';
  readonly type: number;
  readonly line: number;
  readonly place: number;
  readonly how: number;
  /** Whether hashes and signatures, and the roots of manifests too, are made to fit what was changed. */
  readonly forged: 'no' | 'leaves' | 'all';
}

const kinds = ['value', 'value', 'value', 'value', 'value', 'line', 'text'] as const;

export const mutations: fc.Arbitrary<Mutation> = fc.record({
  exhibit: fc.nat(),
  kind: fc.constantFrom(...kinds),
  type: fc.nat(),
  line: fc.nat(),
  place: fc.nat(),
  how: fc.nat(),
  forged: fc.constantFrom('no', 'leaves', 'all'),
});

export interface Mutated {
  readonly text: string;
  readonly what: string;
}

/** The bundle with one change; with hashes and signatures that fit it where that is asked for. */
export function mutate(text: string, mutation: Mutation): Mutated {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BundleLine);
  const at = chooseLine(lines, mutation);
  if (mutation.kind === 'text') return withText(changeText(text, at, mutation));
  const what =
    mutation.kind === 'line'
      ? changeLines(lines, at, mutation)
      : changeValue(lines[at] as BundleLine, lines, mutation);
  const isForged = mutation.forged !== 'no';
  const forged = isForged ? forge(lines, { seals: mutation.forged === 'all' }) : lines;
  const shown = `line ${at + 1}, ${what}${isForged ? `, forged: ${mutation.forged}` : ''}`;
  return { text: forged.map((line) => `${JSON.stringify(line)}\n`).join(''), what: shown };
}

/** The certificate with one change, in either of its forms. */
export function mutateCertificate(text: string, mutation: Mutation): Mutated {
  const { kind, line, forged } = mutation;
  if (kind === 'text') return withText(changeText(text, line % text.trimEnd().split('\n').length, mutation));
  const certificate = JSON.parse(text) as object;
  const what = changeValue(certificate, [certificate], mutation);
  const changed = forged === 'no' ? `${JSON.stringify(certificate, null, 2)}\n` : JSON.stringify(certificate);
  return { text: changed, what };
}

function withText([text, what]: [string, string]): Mutated {
  return { text, what };
}

/** Lines of rare kinds as often as others. */
function chooseLine(lines: readonly BundleLine[], { type, line }: Mutation): number {
  const byKind = Map.groupBy(lines.keys(), (at) => kindOf(lines[at] as BundleLine));
  const groups = [...byKind.values()];
  const group = groups[type % groups.length] ?? [0];
  return group[line % group.length] ?? 0;
}

function kindOf(line: BundleLine): unknown {
  if (line.type !== 'record') return line.type;
  if (line.own) return (line.record as { readonly action: unknown }).action;
  return line.openings === undefined ? 'whole' : 'erased';
}

const lineChanges = ['drop', 'double', 'swap', 'move', 'take from another'] as const;

function changeLines(lines: BundleLine[], at: number, { how, place }: Mutation): string {
  const change = lineChanges[how % lineChanges.length];
  const other = place % lines.length;
  const [line, that] = [lines[at] as BundleLine, lines[other] as BundleLine];
  if (change === 'drop') lines.splice(at, 1);
  if (change === 'double') lines.splice(at, 0, structuredClone(line));
  if (change === 'swap') [lines[at], lines[other]] = [that, line];
  if (change === 'move') lines.splice(other, 0, ...lines.splice(at, 1));
  if (change === 'take from another') {
    lines[at] = { ...line, ...structuredClone(that), type: line.type } as BundleLine;
  }
  return `${change} (${line.type}) with line ${other + 1}`;
}
