import { saltBytes } from '../entry/commitment.ts';
import type { ErasureItem, Manifest, PurgeItem } from '../entry/manifest.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import {
  arrayOf,
  booleanOf,
  bytesOf,
  expectKeys,
  integerOf,
  type JsonObject,
  parseObject,
  textOf,
  timeOf,
  toObject,
} from './json-fields.ts';
import { type BundleLog, bundleLimits, bundleVersion } from './lines.ts';

export interface Header {
  readonly type: 'bundle';
  readonly tenantId: string;
  readonly madeAt: Date;
  readonly logs: readonly BundleLog[];
}

export interface ManifestPart {
  readonly type: 'manifest';
  readonly id: string;
  readonly sealed: boolean;
  readonly openedAt: Date;
  readonly part: Manifest;
}

/** A line that stands outside of blocks, as it is read. */
export type FrontLine =
  | Header
  | { readonly type: 'policy'; readonly text: string }
  | { readonly type: 'checkpoint'; readonly epoch: number; readonly note: string }
  | ManifestPart
  | { readonly type: 'end'; readonly records: number };

/**
 * Read a line that is neither a tile nor a record.
 *
 * Errors  `bad_line`, `bad_base64` for whatever no bundle of this version has.
 */
export function readLine(text: string): FrontLine {
  const line = parseObject(text);
  const { type } = line;
  const read = readers.get(type);
  // By what they begin with lines are told apart before they are parsed.
  if (!read || !text.startsWith(`{"type":"${String(type)}",`))
    throw new TlogError('bad_line', 'the line has no type that a bundle has here');
  return read(line);
}

const readers: ReadonlyMap<unknown, (line: JsonObject) => FrontLine> = new Map([
  ['bundle', readHeader],
  ['policy', readPolicy],
  ['checkpoint', readCheckpoint],
  ['manifest', readManifest],
  ['end', readEnd],
]);

function readHeader(line: JsonObject): FrontLine {
  expectKeys(line, ['type', 'version', 'tenantId', 'madeAt', 'logs']);
  if (line['version'] !== bundleVersion) {
    throw new TlogError('bad_line', `only version ${bundleVersion} of the bundle can be read`);
  }
  const logs = arrayOf(line, 'logs', bundleLimits.epochsMax).map((value) => {
    const log = toObject(value, 'a log');
    expectKeys(log, ['epoch', 'origin', 'size']);
    return { epoch: epochOf(log), origin: textOf(log, 'origin'), size: integerOf(log, 'size') };
  });
  return { type: 'bundle', tenantId: textOf(line, 'tenantId'), madeAt: timeOf(line, 'madeAt'), logs };
}

function readPolicy(line: JsonObject): FrontLine {
  expectKeys(line, ['type', 'text']);
  return { type: 'policy', text: textOf(line, 'text') };
}

function readCheckpoint(line: JsonObject): FrontLine {
  expectKeys(line, ['type', 'epoch', 'note']);
  return { type: 'checkpoint', epoch: integerOf(line, 'epoch', 1), note: textOf(line, 'note') };
}

function readManifest(line: JsonObject): FrontLine {
  expectKeys(line, ['type', 'id', 'kind', 'salt', 'sealed', 'openedAt', 'items']);
  const kind = textOf(line, 'kind');
  const salt = bytesOf(line, 'salt', saltBytes);
  const items = arrayOf(line, 'items', bundleLimits.itemsPerLineMax).map((item) => toObject(item, 'an item'));
  return {
    type: 'manifest',
    id: textOf(line, 'id'),
    sealed: booleanOf(line, 'sealed'),
    openedAt: timeOf(line, 'openedAt'),
    part: toPart(kind, salt, items),
  };
}

function toPart(kind: string, salt: Uint8Array, items: readonly JsonObject[]): Manifest {
  if (kind === 'erasure') return { kind, salt, items: items.map(readErasure) };
  if (kind === 'purge') return { kind, salt, items: items.map(readPurge) };
  throw new TlogError('bad_line', 'kind must be erasure or purge');
}

function readErasure(item: JsonObject): ErasureItem {
  expectKeys(item, ['epoch', 'index', 'slotCount', 'slots', 'rest']);
  const slotCount = integerOf(item, 'slotCount', 1);
  if (slotCount > 530) throw new TlogError('bad_line', 'slotCount must be at most 530');
  return {
    epoch: epochOf(item),
    index: integerOf(item, 'index'),
    slotCount,
    slots: bytesOf(item, 'slots', Math.ceil(slotCount / 8)),
    rest: bytesOf(item, 'rest', hashBytes),
  };
}

function readPurge(item: JsonObject): PurgeItem {
  expectKeys(item, ['epoch', 'start', 'end']);
  const start = integerOf(item, 'start');
  return { epoch: epochOf(item), start, end: integerOf(item, 'end', start + 1) };
}

function epochOf(item: JsonObject): number {
  const epoch = integerOf(item, 'epoch', 1);
  if (epoch > 0xffff_ffff) throw new TlogError('bad_line', 'epoch must be at most 4294967295');
  return epoch;
}

function readEnd(line: JsonObject): FrontLine {
  expectKeys(line, ['type', 'records']);
  return { type: 'end', records: integerOf(line, 'records') };
}
