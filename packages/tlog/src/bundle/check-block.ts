import { decodeOpenings } from '../entry/openings.ts';
import { type RebuiltLeaf, rebuildEntries } from '../entry/rebuild-entries.ts';
import type { Opening } from '../entry/rebuild-entry.ts';
import { decodeText } from '../text.ts';
import { tileWidth } from '../tiles/tile.ts';
import { hashTile } from '../tiles/tile-hash.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import type { FindingCode } from './findings.ts';
import { booleanOf, bytesOf, expectKeys, integerOf, type JsonObject, parseObject } from './json-fields.ts';
import { type OwnRecord, toOwnRecord } from './own-record.ts';
import { type BundledRecord, readRecord } from './read-record.ts';

/** What all blocks of a bundle are checked by: plain data, for a thread to be started with. */
export interface BlockCheck {
  readonly tenantId: string;
  /** Whether the ids of records are asked for, which receipts need. */
  readonly withIds: boolean;
}

/**
 * What one block comes to: the tile's hashes, and the leaf that each of its records leads to. Plain data, to be
 * sent from one thread to another. Places count from the tile's first index.
 */
export interface BlockResult {
  /** Of the bundle, from 1: that of the tile. */
  readonly line: number;
  readonly epoch: number;
  /** Of the tile. */
  readonly index: number;
  readonly hashes: Uint8Array;
  /** The root over a full tile. */
  readonly root?: Uint8Array;
  /** Of the records, ascending. */
  readonly places: Uint8Array;
  /** 32 bytes for each record; zeros where it leads to none. */
  readonly leaves: Uint8Array;
  /** 16 bytes for each record, if asked for. */
  readonly ids: Uint8Array;
  readonly erased: readonly ErasedAt[];
  readonly own: readonly OwnRecord[];
  readonly problems: readonly BlockProblem[];
  /** When the first and the last of the records were received, in milliseconds since 1970. */
  readonly recordedMs: readonly [first: number, last: number];
  /** Set where a line is not as the format has it: then nothing else counts. */
  readonly malformed?: string;
}

export interface ErasedAt {
  readonly place: number;
  readonly slotCount: number;
  readonly slots: Uint8Array;
  readonly rest: Uint8Array;
}

export interface BlockProblem {
  readonly code: FindingCode;
  readonly place: number;
  readonly message: string;
}

/** Everything about a block that needs nothing else of the bundle. Never throws. */
export function checkBlock(block: { line: number; bytes: Uint8Array }, check: BlockCheck): BlockResult {
  try {
    return readBlock(block, check);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return { ...nothing, line: block.line, malformed: error.message };
  }
}

const none = new Uint8Array();
const nothing: Omit<BlockResult, 'line'> = {
  epoch: 0,
  index: 0,
  hashes: none,
  places: none,
  leaves: none,
  ids: none,
  erased: [],
  own: [],
  problems: [],
  recordedMs: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
};

function readBlock({ line, bytes }: { line: number; bytes: Uint8Array }, check: BlockCheck): BlockResult {
  const [first = '', ...lines] = linesOf(bytes, line);
  const tile = atLine(line, () => readTileLine(first));
  const width = tile.hashes.length / hashBytes;
  const places: number[] = [];
  const records = lines.map((text, at) => {
    const record = atLine(line + 1 + at, () => readRecordLine(text, { ...tile, width }));
    if (record.place < (places.at(-1) ?? 0)) {
      throw new TlogError('bad_line', `line ${line + 1 + at}: the records are out of order`);
    }
    places.push(record.place);
    return disclose(record);
  });
  return {
    ...tile,
    line,
    ...(width === tileWidth && { root: hashTile(tile.hashes) }),
    places: Uint8Array.from(places),
    ids: check.withIds ? idsOf(records) : none,
    ...checkRecords(records, check),
  };
}

function linesOf(bytes: Uint8Array, line: number): string[] {
  return atLine(line, () => decodeText(bytes))
    .split('\n')
    .slice(0, -1);
}

function atLine<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new TlogError('bad_line', `line ${line}: ${error.message}`, { cause: error });
  }
}

function readTileLine(text: string): { epoch: number; index: number; hashes: Uint8Array } {
  const line = parseObject(text);
  expectKeys(line, ['type', 'epoch', 'index', 'hashes']);
  const hashes = bytesOf(line, 'hashes');
  if (hashes.length === 0 || hashes.length % hashBytes !== 0 || hashes.length > tileWidth * hashBytes) {
    throw new TlogError('bad_line', `a tile has 1 to ${tileWidth} hashes of ${hashBytes} bytes`);
  }
  return { epoch: integerOf(line, 'epoch', 1), index: integerOf(line, 'index'), hashes };
}

interface RecordAt {
  readonly place: number;
  readonly own: boolean;
  readonly json: JsonObject;
}

/** The frame of a record's line; what is in it is looked at apart, so that one bad record does not end the check. */
function readRecordLine(text: string, tile: { epoch: number; index: number; width: number }): RecordAt {
  const json = parseObject(text);
  expectKeys(json, ['type', 'epoch', 'index', 'own', 'record', 'seed' in json ? 'seed' : 'openings']);
  const place = integerOf(json, 'index') - tile.index * tileWidth;
  if (integerOf(json, 'epoch', 1) !== tile.epoch || place < 0 || place >= tile.width) {
    throw new TlogError('bad_line', 'the record belongs to another tile');
  }
  return { place, own: booleanOf(json, 'own'), json };
}

/** What a record's line holds, or why it cannot be an activity. */
type Disclosed = { readonly place: number } & (
  | { readonly record: BundledRecord; readonly opening: Opening }
  | { readonly problem: string }
);

function disclose({ place, own, json }: RecordAt): Disclosed {
  try {
    return { place, record: readRecord(json['record'], own), opening: openingOf(json) };
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return { place, problem: error.message };
  }
}

type CheckedRecords = Pick<BlockResult, 'leaves' | 'erased' | 'own' | 'problems' | 'recordedMs'>;

function checkRecords(records: readonly Disclosed[], check: BlockCheck): CheckedRecords {
  const rebuilt = rebuildEntries(records.filter((each) => 'record' in each)).values();
  const leaves = new Uint8Array(records.length * hashBytes);
  const erased: ErasedAt[] = [];
  const own: OwnRecord[] = [];
  const problems: BlockProblem[] = [];
  let [earliestMs, latestMs] = nothing.recordedMs;
  for (const [at, disclosed] of records.entries()) {
    const { place } = disclosed;
    if (place === records[at - 1]?.place) {
      problems.push({ code: 'record_repeated', place, message: 'several records stand at this index' });
    }
    if ('problem' in disclosed) {
      problems.push({ code: 'record_malformed', place, message: disclosed.problem });
      continue;
    }
    const { record, opening } = disclosed;
    const entry = rebuilt.next().value as RebuiltLeaf | TlogError;
    if (entry instanceof TlogError) {
      const code = entry.reason === 'record_mismatch' ? 'record_mismatch' : 'record_malformed';
      problems.push({ code, place, message: entry.message });
      continue;
    }
    leaves.set(entry.leaf, at * hashBytes);
    if (entry.erased && 'openings' in opening) {
      erased.push({ place, slotCount: opening.openings.slots.length, ...entry.erased });
    }
    for (const message of contradictionsOf({ record, opening, check })) {
      problems.push({ code: 'record_contradicts', place, message });
    }
    const explains = record.own ? toOwnRecord(place, disclosed) : undefined;
    if (explains) own.push(explains);
    earliestMs = Math.min(earliestMs, record.recordedAt.getTime());
    latestMs = Math.max(latestMs, record.recordedAt.getTime());
  }
  return { leaves, erased, own, problems, recordedMs: [earliestMs, latestMs] };
}

function openingOf(json: JsonObject): Opening {
  if ('seed' in json) return { seed: bytesOf(json, 'seed') };
  return { openings: decodeOpenings(bytesOf(json, 'openings')) };
}

interface Claim {
  readonly record: BundledRecord;
  readonly opening: Opening;
  readonly check: BlockCheck;
}

/** What a record says that its entry does not commit to, though it follows from it. */
function contradictionsOf({ record, opening, check }: Claim): string[] {
  const said: string[] = [];
  if (record.tenantId !== check.tenantId) said.push('the record says that it is of another tenant');
  if (record.occurredAt.getTime() !== Number.parseInt(record.id.slice(0, 8) + record.id.slice(9, 13), 16)) {
    said.push('the record says another time than its id');
  }
  const { slots, restSalt } = 'openings' in opening ? opening.openings : { slots: [] };
  if (!restSalt && record.erased) said.push('the record names erased fields, but nothing of it is erased');
  if (slots.some(({ state }) => state === 'withheld')) said.push('something of the record is withheld');
  if (!restSalt && slots.some(({ state }) => state === 'gone' || state === 'replaced')) {
    said.push('something of the record has gone, and nothing commits to what is left');
  }
  return said;
}

function idsOf(records: readonly Disclosed[]): Uint8Array {
  const ids = new Uint8Array(records.length * 16);
  for (const [at, disclosed] of records.entries()) {
    const digits = 'record' in disclosed ? disclosed.record.id.replaceAll('-', '') : '';
    for (let byte = 0; byte < digits.length / 2; byte += 1) {
      ids[at * 16 + byte] = Number.parseInt(digits.slice(2 * byte, 2 * byte + 2), 16);
    }
  }
  return ids;
}
