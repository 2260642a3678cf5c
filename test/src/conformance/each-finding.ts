import {
  type BundleLine,
  type FindingCode,
  formatBundleLine,
  formatCheckpoint,
  formatPolicy,
  formatVerifierKey,
  type ManifestLine,
  parsePolicy,
  type RecordLine,
  signingKey,
  signNote,
} from '@annals/tlog';
import type { BundleCase } from './compare.ts';
import { forge, forgersKey } from './forge.ts';

/** A case whose verdict must hold a finding. */
export interface FindingCase extends BundleCase {
  readonly code: FindingCode;
}

type Change = (lines: BundleLine[]) => BundleLine[];
const asItIs: Change = (lines) => lines;

/**
 * A bundle for each finding that the exhibit itself does not have, but for those about quorums: made by somebody who
 * has the key of the log, so that nothing else stands in the way of what is to be found.
 */
export function casesOfEachFinding(exhibit: BundleCase): FindingCase[] {
  const { name: origin } = parsePolicy(exhibit.policy).logs[0]?.key ?? { name: '' };
  const key = forgersKey(origin);
  const policy = formatPolicy({ logs: [{ key }], witnesses: [], quorum: { kind: 'none' } });
  const lines = String(exhibit.text)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BundleLine);
  const caseOf = (code: FindingCode, change: Change, more: Partial<BundleCase> = {}): FindingCase => {
    const text = forge(change(structuredClone(lines)), { seals: true })
      .map(formatBundleLine)
      .join('');
    return { ...exhibit, policy, held: [], receipts: [], ...more, name: code, code, text };
  };
  return [
    ...(Object.entries(changes) as [FindingCode, Change][]).map(([code, change]) => caseOf(code, change)),
    caseOf('key_unannounced', announce(formatVerifierKey(key))),
    caseOf('checkpoint_untrusted', asItIs, { policy: exhibit.policy }),
    caseOf('held_checkpoint_mismatch', asItIs, { held: [heldNote(origin, 3)] }),
    caseOf('held_checkpoint_beyond', asItIs, { held: [heldNote(origin, 1_000)] }),
    caseOf('held_checkpoint_unknown', asItIs, { held: [heldNote(`${origin}/e9`, 3)] }),
    caseOf('held_checkpoint_untrusted', asItIs, { held: [heldNote(origin, 3, 77)] }),
    caseOf('receipt_missing', asItIs, { receipts: [receiptOf(exhibit, { id: absentId })] }),
    caseOf('receipt_mismatch', asItIs, { receipts: [receiptOf(exhibit, {})] }),
    caseOf('receipt_newer', asItIs, {
      receipts: [receiptOf(exhibit, { id: absentId, batchId: `f${absentId.slice(1)}` })],
    }),
  ];
}

const absentId = '00000000-0000-7000-8000-000000000000';

/** Where a record that was not erased stands, and one that was. */
const whole: Is = (line) =>
  line.type === 'record' && line.epoch === 1 && line.seed !== undefined && !line.own;
const erased: Is = (line) => line.type === 'record' && line.epoch === 1 && line.openings !== undefined;
const manifest =
  (kind: ManifestLine['kind']): Is =>
  (line) =>
    line.type === 'manifest' && line.kind === kind;
const ownOf =
  (action: string): Is =>
  (line) =>
    line.type === 'record' && actionOf(line) === action;

type Is = (line: BundleLine) => boolean;

function actionOf({ record }: RecordLine): unknown {
  return (record as { readonly action: unknown }).action;
}

const changes: Partial<Record<FindingCode, Change>> = {
  bundle_malformed: edit(whole, (line) => ({ ...line, epoch: 7 })),
  bundle_truncated: (lines) => lines.slice(0, -1),
  checkpoint_missing: (lines) =>
    lines.toSpliced(
      lastOf(lines, (line) => line.type === 'checkpoint'),
      1,
    ),
  checkpoint_mismatch: (lines) => lines.toSpliced(3, 0, lines[2] as BundleLine),
  record_malformed: editRecord(whole, { extra: 'x' }),
  record_mismatch: editRecord(whole, { erased: ['message'] }),
  record_repeated: (lines) => counted(lines.toSpliced(lines.findIndex(whole), 0, find(lines, whole))),
  record_contradicts: editRecord(whole, { tenantId: 'other' }),
  index_unexplained: (lines) => counted(lines.toSpliced(lines.findIndex(whole), 1)),
  erasure_unexplained: edit(manifest('erasure'), (line) => ({ ...line, items: [] })),
  erasure_mismatch: editRecord(erased, { erased: ['other'] }),
  erasure_not_done: (lines) => {
    const { epoch, index } = find(lines, whole) as RecordLine;
    return listed(lines, { epoch, index, slotCount: 1, slots: 'AA==', rest: `${'A'.repeat(43)}=` });
  },
  purge_not_done: (lines) => {
    const { index } = find(lines, whole) as RecordLine;
    const range = { epoch: 1, start: index, end: index + 1 };
    return edit(manifest('purge'), (line) => ({ ...line, items: [range] }))(lines);
  },
  manifest_missing: (lines) => lines.toSpliced(lines.findIndex(manifest('erasure')), 1),
  manifest_mismatch: (lines) => counted(sealedTwice(lines)),
  manifest_order: (lines) => {
    const [first, second] = [lines.findIndex(manifest('erasure')), lines.findIndex(manifest('purge'))];
    return lines.with(first, lines[second] as BundleLine).with(second, lines[first] as BundleLine);
  },
  epoch_unlinked: editRecord(ownOf('annals.epoch_opened'), { metadata: { epoch: 2 } }),
};

function find(lines: readonly BundleLine[], is: Is): BundleLine {
  return lines.find(is) as BundleLine;
}

function lastOf(lines: readonly BundleLine[], is: Is): number {
  return lines.findLastIndex(is);
}

function edit(is: Is, change: (line: BundleLine) => object): Change {
  return (lines) => lines.with(lines.findIndex(is), change(find(lines, is)) as BundleLine);
}

function editRecord(is: Is, to: object): Change {
  return edit(is, (line) => ({ ...line, record: { ...(line as RecordLine).record, ...to } }));
}

/** With the number of records that are there. */
function counted(lines: readonly BundleLine[]): BundleLine[] {
  const records = lines.filter(({ type }) => type === 'record').length;
  return [...lines.slice(0, -1), { type: 'end', records }];
}

/** With an item more, in its place, in the last manifest of erasures. */
function listed(lines: readonly BundleLine[], item: ManifestLine['items'][number]): BundleLine[] {
  const at = lastOf(lines, manifest('erasure'));
  const line = lines[at] as ManifestLine;
  const items = [...line.items, item].toSorted((a, b) => placeOf(a) - placeOf(b));
  return lines.with(at, { ...line, items });
}

function placeOf(item: ManifestLine['items'][number]): number {
  return 'index' in item ? item.index : item.start;
}

/** A later record of the log turned into one that seals what is sealed already. */
function sealedTwice(lines: readonly BundleLine[]): BundleLine[] {
  const seal = find(lines, ownOf('annals.manifest_sealed')) as RecordLine;
  const at = lastOf(lines, whole);
  const { record, ...place } = lines[at] as RecordLine;
  const { id, occurredAt } = record as { readonly id: string; readonly occurredAt: string };
  return lines.with(at, { ...place, own: true, record: { ...seal.record, id, occurredAt } });
}

/** Let the log announce the key that signed all of it. */
function announce(newKey: string): Change {
  return editRecord(ownOf('annals.log_key_rotated'), { metadata: { newKey } });
}

function heldNote(origin: string, size: number, seed?: number): string {
  const root = new Uint8Array(32).fill(9);
  const stranger = signingKey({ name: origin, type: 'ed25519', seed: new Uint8Array(32).fill(seed ?? 0) });
  const signer = seed === undefined ? forgersKey(origin) : stranger;
  return signNote(formatCheckpoint({ origin, size, root, extensions: [] }), [signer]);
}

/** A receipt whose leaf is nowhere. */
function receiptOf({ receipts }: BundleCase, to: object): string {
  const leaf = Buffer.alloc(32, 9).toString('base64');
  return JSON.stringify({ ...(JSON.parse(receipts[0] ?? '{}') as object), leaf, ...to });
}
