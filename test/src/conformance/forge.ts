import {
  type BundleLine,
  decodeBase64,
  decodeOpenings,
  encodeBase64,
  formatCheckpoint,
  type LoggedRecord,
  type Manifest,
  type ManifestLine,
  manifestRoot,
  parseCheckpoint,
  parseNote,
  type RecordLine,
  rebuildEntry,
  rootOf,
  type SigningKey,
  signingKey,
  signNote,
  type TileLine,
} from '@annals/tlog';

/** The key of whoever forges logs, by the name of the log. */
export function forgersKey(name: string): SigningKey {
  return signingKey({ name, type: 'ed25519', seed: new Uint8Array(32).fill(200) });
}

/**
 * Make the hashes of a changed bundle those of its records, the roots in its log those of its manifests, and sign the
 * whole anew: as somebody could who has the database and the key. What cannot be read stays as it is, for the
 * verifiers must agree about that as well.
 */
export function forge(lines: readonly BundleLine[], { seals }: { readonly seals: boolean }): BundleLine[] {
  const sealed = seals ? lines.map((line) => attempt(line, () => reseal(line, lines))) : lines;
  const header = sealed.find((line) => line.type === 'bundle');
  let forged = [...sealed];
  let cited: Citation | undefined;
  for (const log of Array.isArray(header?.logs) ? header.logs : []) {
    const { epoch, origin } = log ?? {};
    const before = cited;
    forged = forged.map((line) => attempt(line, () => citeAnew(line, epoch, before)));
    const records = forged.filter((line) => line.type === 'record' && line.epoch === epoch) as RecordLine[];
    forged = forged.map((line) => attempt(line, () => hashAnew(line, epoch, records)));
    const leaves = forged.flatMap((line) =>
      line.type === 'tile' && line.epoch === epoch ? attempt([], () => hashesOf(line)) : [],
    );
    forged = forged.map((line) => {
      if (line.type !== 'checkpoint' || line.epoch !== epoch) return line;
      const signed = attempt(line, () => ({ ...line, note: signAnew(line.note, leaves, origin) }));
      cited = { from: line.note, to: signed.note };
      return signed;
    });
  }
  return forged;
}

/** The newest note of the epoch before, as it was and as it is now. */
interface Citation {
  readonly from: string;
  readonly to: string;
}

/** What a record of Annals' own holds. */
interface OwnRecord {
  readonly action: string;
  readonly target: { readonly id: string };
  readonly metadata: { readonly [key: string]: unknown };
}

function attempt<T>(otherwise: T, work: () => T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

function reseal(line: BundleLine, lines: readonly BundleLine[]): BundleLine {
  if (line.type !== 'record' || !line.own) return line;
  const record = line.record as OwnRecord;
  if (record.action !== 'annals.manifest_sealed') return line;
  const parts = lines.filter(
    (each): each is ManifestLine => each.type === 'manifest' && each.id === record.target.id,
  );
  const [first] = parts;
  if (!first) return line;
  const items = parts.flatMap((part) => part.items).map(itemOf);
  const manifest = { kind: first.kind, salt: decodeBase64(first.salt), items } as Manifest;
  const root = encodeBase64(manifestRoot(manifest));
  const metadata = { ...record.metadata, kind: manifest.kind, items: items.length, root };
  return { ...line, record: { ...record, metadata } };
}

function itemOf(item: ManifestLine['items'][number]): Manifest['items'][number] {
  if (!('slots' in item)) return item;
  return { ...item, slots: decodeBase64(item.slots), rest: decodeBase64(item.rest) };
}

function citeAnew(line: BundleLine, epoch: number, cited: Citation | undefined): BundleLine {
  if (line.type !== 'record' || line.epoch !== epoch || line.index !== 0 || !cited) return line;
  const record = line.record as OwnRecord;
  if (record.metadata['checkpoint'] !== cited.from) return line;
  return { ...line, record: { ...record, metadata: { ...record.metadata, checkpoint: cited.to } } };
}

function hashAnew(line: BundleLine, epoch: number, records: readonly RecordLine[]): BundleLine {
  if (line.type !== 'tile' || line.epoch !== epoch) return line;
  const hashes = hashesOf(line);
  for (const record of records) {
    const place = record.index - line.index * 256;
    const hash = hashes[place];
    if (hash) hashes[place] = attempt(hash, () => leafOf(record));
  }
  return { ...line, hashes: encodeBase64(Buffer.concat(hashes)) };
}

function hashesOf({ hashes }: TileLine): Uint8Array[] {
  const bytes = Buffer.from(hashes, 'base64');
  return Array.from({ length: Math.floor(bytes.length / 32) }, (_, at) =>
    bytes.subarray(at * 32, at * 32 + 32),
  );
}

function leafOf({ record, own, seed, openings = '' }: RecordLine): Uint8Array {
  const json = record as LoggedRecord & { readonly recordedAt: unknown };
  const read = { ...json, own, recordedAt: new Date(String(json.recordedAt)) };
  if (seed === undefined)
    return rebuildEntry(read, { openings: decodeOpenings(decodeBase64(openings)) }).leaf;
  // A list of erased fields is refused beside a seed; the leaf is the same without it.
  return rebuildEntry({ ...read, erased: undefined }, { seed: decodeBase64(seed) }).leaf;
}

function signAnew(note: string, leaves: readonly Uint8Array[], origin: string): string {
  const checkpoint = parseCheckpoint(parseNote(note).text);
  const root = rootOf(leaves.slice(0, checkpoint.size));
  return signNote(formatCheckpoint({ ...checkpoint, root }), [forgersKey(origin)]);
}
