import { equalBytes } from '../bytes.ts';
import type { ErasureItem } from '../entry/manifest.ts';
import { tileWidth } from '../tiles/tile.ts';
import { hashBytes } from '../tree/hash.ts';
import type { BlockResult, ErasedAt } from './check-block.ts';
import type { FindingCode, FindingList } from './findings.ts';
import type { Explanation, ListedManifest, Manifests } from './manifests.ts';

export interface Accounting {
  /** Account for each index of a tile; returns the places whose records are those that the log committed to. */
  add(block: BlockResult): ReadonlySet<number>;
  /** Indexes that need no explanation, and those that have none. Others stand with their manifests. */
  readonly counts: { readonly disclosed: number; readonly unexplained: number };
}

/** Every index is there, or is explained by a manifest, or is found missing. */
export function createAccounting(manifests: Manifests, findings: FindingList): Accounting {
  let disclosed = 0;
  let unexplained = 0;
  return {
    get counts() {
      return { disclosed, unexplained };
    },
    add: (block) => {
      const { epoch } = block;
      const start = block.index * tileWidth;
      const width = block.hashes.length / hashBytes;
      const explanations = manifests.explain({ epoch, start, end: start + width });
      const faults = faultsOf(block);
      for (const { code, place, message } of faults.listed) {
        findings.add(code, { message, epoch, index: start + place });
      }
      const erased = new Map(block.erased.map((each) => [each.place, each]));
      const present = new Set(block.places);
      for (let place = 0; place < width; place += 1) {
        const state = present.has(place)
          ? accountForRecord({
              broken: faults.broken.has(place),
              erased: erased.get(place),
              explanation: explanations.get(start + place),
            })
          : accountForGap(explanations.get(start + place));
        if (state.finding) {
          const { code, message } = state.finding;
          findings.add(code, { message, epoch, index: start + place });
        }
        if (state.by) explainedBy(state.by, { epoch, index: start + place });
        else if (state.disclosed) disclosed += 1;
        else unexplained += 1;
      }
      return new Set(block.places.filter((place) => !faults.broken.has(place)));
    },
  };
}

/** One of: explained by a manifest; disclosed; neither, with the reason unless that was told already. */
interface State {
  readonly by?: ListedManifest;
  readonly disclosed?: true;
  readonly finding?: { readonly code: FindingCode; readonly message: string };
}

interface Fault {
  readonly code: FindingCode;
  readonly place: number;
  readonly message: string;
}

/** What is wrong with single records, and the places whose record is not what the log committed to. */
function faultsOf(block: BlockResult): { readonly listed: Fault[]; readonly broken: ReadonlySet<number> } {
  const listed: Fault[] = [...block.problems];
  const broken = new Set(listed.map(({ place }) => place));
  for (const [nth, place] of block.places.entries()) {
    if (broken.has(place)) continue;
    const leaf = block.leaves.subarray(nth * hashBytes, (nth + 1) * hashBytes);
    if (equalBytes(leaf, block.hashes.subarray(place * hashBytes, (place + 1) * hashBytes))) continue;
    broken.add(place);
    const message = 'the record is not the one that the log committed to at this index';
    listed.push({ code: 'record_mismatch', place, message });
  }
  return { listed, broken };
}

interface PresentRecord {
  readonly broken: boolean;
  readonly erased: ErasedAt | undefined;
  readonly explanation: Explanation | undefined;
}

function accountForRecord({ broken, erased, explanation }: PresentRecord): State {
  if (broken) return {};
  if (explanation?.purged) {
    return found('purge_not_done', 'the record is listed as purged, but is there');
  }
  const listed = explanation?.erased;
  if (!erased && !listed) return { disclosed: true };
  if (!listed)
    return found('erasure_unexplained', 'something of the record has gone, and no manifest lists it');
  if (!erased) return found('erasure_not_done', 'the record is listed as erased, but is whole');
  if (isSameErasure(erased, listed.item)) return { by: listed.manifest };
  return found(
    'erasure_mismatch',
    'what has gone of the record, or what is left of it, is not what is listed',
  );
}

function isSameErasure(erased: ErasedAt, item: ErasureItem): boolean {
  return (
    erased.slotCount === item.slotCount &&
    equalBytes(erased.slots, item.slots) &&
    equalBytes(erased.rest, item.rest)
  );
}

function accountForGap(explanation: Explanation | undefined): State {
  if (explanation?.purged) return { by: explanation.purged };
  return found('index_unexplained', 'the record is missing, and no manifest lists it as purged');
}

function found(code: FindingCode, message: string): State {
  return { finding: { code, message } };
}

function explainedBy(manifest: ListedManifest, place: { epoch: number; index: number }): void {
  manifest.explained += 1;
  manifest.firstExplained ??= place;
}
