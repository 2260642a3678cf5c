import {
  type BundleLine,
  cosign,
  formatNote,
  formatVerifierKey,
  parseNote,
  type SigningKey,
  signingKey,
} from '@annals/tlog';
import type { BundleCase } from './compare.ts';

const witnesses = [0, 1, 2].map((nth) =>
  signingKey({
    name: `witness.example/${nth}`,
    type: 'cosignature',
    seed: new Uint8Array(32).fill(50 + nth),
  }),
);

/** What witnesses of an auditor's policy did: whose cosignatures are on the first and on the last checkpoint. */
const histories: readonly (readonly [what: string, first: readonly number[], last: readonly number[]])[] = [
  ['all', [0, 1, 2], [0, 1, 2]],
  ['as many as needed', [], [0, 2]],
  ['the first only', [1, 2], [1]],
  ['too few', [1], [2]],
  ['none', [], []],
];

/** The bundle with cosignatures, each under several policies. */
export function cosignedCases(exhibit: BundleCase): BundleCase[] {
  const cases = histories.map(([what, first, last]) => cosignedBy(exhibit, what, { first, last }));
  const [all] = cases as [BundleCase];
  // One that a known witness did not make.
  const damaged = changeNotes(all, (note) => {
    const { text, signatures } = parseNote(note);
    const [log, witness, ...others] = signatures as [Signature, Signature];
    const signature = witness.signature.with(20, (witness.signature[20] ?? 0) ^ 1);
    return formatNote({ text, signatures: [log, { ...witness, signature }, ...others] });
  });
  return [...cases, { ...all, name: `${exhibit.name}, a cosignature is damaged`, text: damaged }].flatMap(
    underPolicies,
  );
}

type Signature = ReturnType<typeof parseNote>['signatures'][number];

interface Cosigners {
  readonly first: readonly number[];
  readonly last: readonly number[];
}

function cosignedBy(exhibit: BundleCase, what: string, { first, last }: Cosigners): BundleCase {
  const text = changeNotes(exhibit, (note, isLast) => {
    const parsed = parseNote(note);
    const by = (isLast ? last : first).map((nth) => witnesses[nth] as SigningKey);
    const cosignatures = by.map((key) => cosign(parsed, { key, timestamp: 1_781_000_000 }));
    return formatNote({ ...parsed, signatures: [...parsed.signatures, ...cosignatures] });
  });
  return { ...exhibit, name: `${exhibit.name}, cosigned by ${what}`, text };
}

function changeNotes({ text }: BundleCase, change: (note: string, isLast: boolean) => string): string {
  const lines = String(text)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BundleLine);
  const lasts = new Map(lines.flatMap((line, at) => (line.type === 'checkpoint' ? [[line.epoch, at]] : [])));
  const changed = lines.map((line, at) =>
    line.type === 'checkpoint' ? { ...line, note: change(line.note, lasts.get(line.epoch) === at) } : line,
  );
  return changed.map((line) => `${JSON.stringify(line)}\n`).join('');
}

const quorums = {
  'two of three': 'group g 2 w0 w1 w2\nquorum g\n',
  'a group of groups': 'group a any w0 w1\ngroup b all a w2\nquorum b\n',
  'a witness': 'quorum w1\n',
  none: 'quorum none\n',
};

function underPolicies(each: BundleCase): BundleCase[] {
  const keys = witnesses.map((key, nth) => `witness w${nth} ${formatVerifierKey(key)}\n`).join('');
  return Object.entries(quorums).map(([name, quorum]) => ({
    ...each,
    name: `${each.name}, for ${name}`,
    policy: each.policy.replace('quorum none\n', `${keys}${quorum}`),
  }));
}
