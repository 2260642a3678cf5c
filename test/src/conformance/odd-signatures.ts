import {
  type BundleLine,
  formatBundleLine,
  formatNote,
  formatPolicy,
  type NoteSignature,
  parseNote,
  parsePolicy,
  verifierKey,
} from '@annals/tlog';
import type { BundleCase } from './compare.ts';

/** The order of the group of Ed25519. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The point of order 1: with it as key and as R, and S = 0, the equation holds for every message. */
const identity = Uint8Array.of(1, ...new Uint8Array(31));

/** Signatures that a verifier takes which checks nothing but the equation (RFC 8032, section 5.1.7). */
export function oddSignatures(exhibit: BundleCase): BundleCase[] {
  const { logs } = parsePolicy(exhibit.policy);
  const { name } = logs[0]?.key ?? { name: '' };
  const small = verifierKey({ name, type: 'ed25519', publicKey: identity });
  const universal = Uint8Array.of(...identity, ...new Uint8Array(32));
  const trusting = formatPolicy({ logs: [{ key: small }], witnesses: [], quorum: { kind: 'none' } });
  return [
    { ...exhibit, name: 'S is larger than the order', text: resigned(exhibit, addOrder) },
    {
      ...exhibit,
      name: 'a key and R of small order',
      policy: trusting,
      held: [],
      text: resigned(exhibit, () => ({ name, keyId: small.keyId, signature: universal })),
    },
    {
      ...exhibit,
      name: 'R of small order',
      text: resigned(exhibit, (signature) => ({ ...signature, signature: universal })),
    },
  ];
}

function resigned({ text }: BundleCase, change: (signature: NoteSignature) => NoteSignature): string {
  return String(text)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BundleLine)
    .map((line) => {
      if (line.type !== 'checkpoint') return formatBundleLine(line);
      const note = parseNote(line.note);
      return formatBundleLine({
        ...line,
        note: formatNote({ ...note, signatures: note.signatures.map(change) }),
      });
    })
    .join('');
}

/** The same signature with S + the order, which is congruent. */
function addOrder({ signature, ...rest }: NoteSignature): NoteSignature {
  const s = signature.subarray(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) + order;
  const bytes = Array.from({ length: 32 }, (_, at) => Number((s >> BigInt(8 * at)) & 255n));
  return { ...rest, signature: Uint8Array.of(...signature.subarray(0, 32), ...bytes) };
}
