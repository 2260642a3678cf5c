import type { ErasureItem, Manifest, PurgeItem } from '../entry/manifest.ts';

/** The version of the bundle's lines that this package writes and reads (docs/format.md). */
export const bundleVersion = 1;

/** What a bundle may hold at most, so that a hostile one cannot take time or memory without bound. */
export const bundleLimits = {
  lineBytesMax: 4 * 1024 * 1024,
  /** A tile's line with those of its records. */
  blockBytesMax: 64 * 1024 * 1024,
  epochsMax: 1_000,
  /** Checkpoints of one epoch. */
  checkpointsMax: 10_000,
  manifestsMax: 100_000,
  /** Items of one line; a manifest goes on with further lines of the same id. */
  itemsPerLineMax: 10_000,
  receiptsMax: 10_000_000,
} as const;

/** The first line. */
export interface HeaderLine {
  readonly type: 'bundle';
  readonly version: typeof bundleVersion;
  readonly tenantId: string;
  /** When the snapshot was taken, by the server's clock. */
  readonly madeAt: string;
  /** Every epoch, in order, each up to its newest signed checkpoint. */
  readonly logs: readonly BundleLog[];
}

export interface BundleLog {
  readonly epoch: number;
  readonly origin: string;
  readonly size: number;
}

/** The operator's own policy: information, never what a verifier goes by. */
export interface PolicyLine {
  readonly type: 'policy';
  readonly text: string;
}

export interface CheckpointLine {
  readonly type: 'checkpoint';
  readonly epoch: number;
  readonly note: string;
}

/** A list of what has gone, or the next part of it. Bytes are in base64. */
export interface ManifestLine {
  readonly type: 'manifest';
  readonly id: string;
  readonly kind: Manifest['kind'];
  readonly salt: string;
  readonly sealed: boolean;
  readonly openedAt: string;
  readonly items: readonly (ErasureItemText | PurgeItem)[];
}

export type ErasureItemText = Omit<ErasureItem, 'slots' | 'rest'> & {
  readonly slots: string;
  readonly rest: string;
};

/** Tile `index` of level 0: up to 256 leaf hashes. Its records follow. */
export interface TileLine {
  readonly type: 'tile';
  readonly epoch: number;
  readonly index: number;
  readonly hashes: string;
}

/** With what opens its entry: the seed, once something was erased the openings, neither where nothing does. */
export interface RecordLine {
  readonly type: 'record';
  readonly epoch: number;
  readonly index: number;
  readonly own: boolean;
  /** The activity as JSON. */
  readonly record: object;
  readonly seed?: string;
  readonly openings?: string;
}

/** The last line: without it a bundle was cut off. */
export interface EndLine {
  readonly type: 'end';
  readonly records: number;
}

export type BundleLine =
  | HeaderLine
  | PolicyLine
  | CheckpointLine
  | ManifestLine
  | TileLine
  | RecordLine
  | EndLine;

/** A line as it stands in a bundle, its newline included: `type` comes first, by which readers tell lines apart. */
export function formatBundleLine({ type, ...rest }: BundleLine): string {
  return `${JSON.stringify({ type, ...rest })}\n`;
}
