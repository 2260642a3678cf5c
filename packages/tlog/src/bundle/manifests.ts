import { encodeBase64 } from '../base64.ts';
import { equalBytes } from '../bytes.ts';
import { type ErasureItem, hashItem, type Manifest, type PurgeItem } from '../entry/manifest.ts';
import { TlogError } from '../tlog-error.ts';
import { appendLeaves, type CompactRange, emptyRange, rootOfRange } from '../tree/compact-range.ts';
import type { FindingList } from './findings.ts';
import { createItemList, type IndexRange, type ItemList } from './item-list.ts';
import { quote } from './json-fields.ts';
import { bundleLimits } from './lines.ts';
import type { OwnRecord } from './own-record.ts';
import type { ManifestPart } from './read-line.ts';

/** A manifest of the bundle, and what it was found to explain. */
export interface ListedManifest {
  readonly id: string;
  readonly kind: Manifest['kind'];
  readonly salt: Uint8Array;
  /** What all of its lines say alike. */
  readonly head: Pick<ManifestPart, 'sealed' | 'openedAt'>;
  readonly items: ItemList;
  /** Over the hashes of the items, for the root. */
  range: CompactRange;
  /** Records that are erased or purged by what this manifest says. */
  explained: number;
  firstExplained?: Place;
  sealing?: Sealing;
}

export interface Place {
  readonly epoch: number;
  readonly index: number;
}

/** What the log says of a manifest. */
interface Sealing extends Place {
  readonly holds: boolean;
}

/** What accounts for a place of the log: the last manifest in the file that has an item for it. */
export interface Explanation {
  readonly erased?: { readonly manifest: ListedManifest; readonly item: ErasureItem };
  readonly purged?: ListedManifest;
}

export interface Manifests {
  add(line: ManifestPart): void;
  /** By index; ranges as `ItemList.take` wants them. */
  explain(range: IndexRange): Map<number, Explanation>;
  /** A record of the log that seals a manifest, in the order of the log. */
  seal(record: OwnRecord, place: Place): void;
  /** All of them, with findings about those that are not sealed as the log says. */
  finish(): readonly ListedManifest[];
}

export function createManifests(findings: FindingList): Manifests {
  const listed = new Map<string, ListedManifest>();
  let last: ListedManifest | undefined;
  return {
    add: (line) => {
      const { part } = line;
      const known = listed.get(line.id);
      if (known && known !== last) {
        throw new TlogError('bad_line', 'the parts of a manifest do not follow each other');
      }
      const manifest = known ?? newManifest(line, listed);
      listed.set(line.id, manifest);
      last = manifest;
      if (!isPartOf(manifest, line)) {
        throw new TlogError('bad_line', 'the parts of a manifest differ in more than their items');
      }
      manifest.items.append(part.items);
      manifest.range = appendLeaves(
        manifest.range,
        part.items.map((item) => hashItem(part.salt, item)),
      );
    },
    explain: (range) => explain(listed.values(), range),
    seal: (record, place) => seal(listed, { record, place, findings }),
    finish: () => {
      checkOrder(listed.values(), findings);
      return [...listed.values()];
    },
  };
}

function isPartOf({ kind, salt, head }: ListedManifest, { sealed, openedAt, part }: ManifestPart): boolean {
  const isSameHead = head.sealed === sealed && head.openedAt.getTime() === openedAt.getTime();
  return isSameHead && kind === part.kind && equalBytes(salt, part.salt);
}

function newManifest(
  { id, part, sealed, openedAt }: ManifestPart,
  listed: ReadonlyMap<string, unknown>,
): ListedManifest {
  if (listed.size === bundleLimits.manifestsMax) {
    throw new TlogError('too_large', `a bundle has at most ${bundleLimits.manifestsMax} manifests`);
  }
  const { kind, salt } = part;
  const head = { sealed, openedAt };
  return { id, kind, salt, head, items: createItemList(), range: emptyRange(), explained: 0 };
}

function explain(listed: Iterable<ListedManifest>, range: IndexRange): Map<number, Explanation> {
  const found = new Map<number, Explanation>();
  for (const manifest of listed) {
    for (const item of manifest.items.take(range)) {
      if ('index' in item) {
        found.set(item.index, { ...found.get(item.index), erased: { manifest, item } });
        continue;
      }
      for (const index of indexesOf(item, range)) {
        found.set(index, { ...found.get(index), purged: manifest });
      }
    }
  }
  return found;
}

function* indexesOf({ start, end }: PurgeItem, range: IndexRange): Generator<number> {
  for (let index = Math.max(start, range.start); index < Math.min(end, range.end); index += 1) yield index;
}

interface SealInput {
  readonly record: OwnRecord;
  readonly place: Place;
  readonly findings: FindingList;
}

function seal(listed: ReadonlyMap<string, ListedManifest>, { record, place, findings }: SealInput): void {
  const { targetId = '', metadata } = record;
  const manifest = listed.get(targetId);
  if (!manifest) {
    const message = `the log seals the manifest ${quote(targetId)}, which the bundle does not have`;
    findings.add('manifest_missing', { message, ...place });
    return;
  }
  const root = rootOfRange(manifest.range);
  const said = metadata['root'];
  const holds =
    metadata['kind'] === manifest.kind &&
    metadata['items'] === manifest.items.count &&
    typeof said === 'string' &&
    said === encodeBase64(root);
  if (!holds || manifest.sealing) {
    const message = holds
      ? `the log seals the manifest ${quote(targetId)} more than once`
      : `the manifest ${quote(targetId)} has other items than the log sealed`;
    findings.add('manifest_mismatch', { message, ...place });
  }
  manifest.sealing ??= { ...place, holds };
}

/** The last item of a record counts, so that the order in the file must be that of the log. */
function checkOrder(listed: Iterable<ListedManifest>, findings: FindingList): void {
  let last: Place = { epoch: 0, index: 0 };
  for (const { id, sealing } of listed) {
    if (!sealing) {
      last = { epoch: Number.POSITIVE_INFINITY, index: 0 };
      continue;
    }
    if (sealing.epoch < last.epoch || (sealing.epoch === last.epoch && sealing.index < last.index)) {
      const message = `the manifest ${quote(id)} stands behind one that was sealed later, or is not sealed`;
      findings.add('manifest_order', { message, epoch: sealing.epoch, index: sealing.index });
    }
    last = sealing;
  }
}
