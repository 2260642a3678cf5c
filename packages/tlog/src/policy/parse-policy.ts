import { equalBytes } from '../bytes.ts';
import { limits } from '../limits.ts';
import { parseVerifierKey, type VerifierKey } from '../note/verifier-key.ts';
import { decodeText, encodeText } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import type { Policy, PolicyLog, PolicyWitness, Quorum, QuorumMember } from './policy.ts';

/** What the lines read so far have defined. Names are octets, held as Latin-1 (C2SP tlog-policy). */
interface Draft {
  readonly logs: PolicyLog[];
  readonly witnesses: PolicyWitness[];
  readonly named: Map<string, QuorumMember>;
  readonly grouped: Set<string>;
  quorum?: Quorum;
}

/**
 * Read a policy file.
 *
 * Limits  1,000,000 bytes; 256 logs, 256 witnesses, 256 groups.
 * Errors  `bad_policy`, naming the line; `unsupported_key` for keys of other types, among them ML-DSA-44.
 * Source  C2SP tlog-policy. Each line must end in a newline: a file cut short is not a weaker policy.
 */
export function parsePolicy(source: Uint8Array | string): Policy {
  const bytes = typeof source === 'string' ? encodeText(source) : source;
  if (bytes.length > limits.policyBytesMax) {
    throw new TlogError('too_large', `a policy has at most ${limits.policyBytesMax} bytes`);
  }
  const lines = latin1(bytes).split('\n');
  if (lines.pop() !== '') throw new TlogError('bad_policy', 'the last line must end in a newline');
  const draft: Draft = { logs: [], witnesses: [], named: new Map(), grouped: new Set() };
  for (const [at, line] of lines.entries()) readLine(line, { number: at + 1, draft });
  if (!draft.quorum) throw new TlogError('bad_policy', 'the policy has no quorum line');
  return { logs: draft.logs, witnesses: draft.witnesses, quorum: draft.quorum };
}

function readLine(line: string, { number, draft }: { number: number; draft: Draft }): void {
  try {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(line))
      refuse('only tab and newline are allowed as control characters');
    const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== '');
    if (keyword === undefined || keyword.startsWith('#')) return;
    const read = readers[keyword];
    if (!read) refuse('expected log, witness, group or quorum');
    read(items, draft);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    const reason =
      error.reason === 'unsupported_key' || error.reason === 'too_large' ? error.reason : 'bad_policy';
    throw new TlogError(reason, `policy line ${number}: ${error.message}`, { cause: error });
  }
}

type LineReader = (items: readonly string[], draft: Draft) => void;

const readers: Readonly<Record<string, LineReader | undefined>> = Object.assign(
  Object.create(null) as Record<string, never>,
  { log: readLog, witness: readWitness, group: readGroup, quorum: readQuorum },
);

function readLog([vkey, url, ...more]: readonly string[], { logs }: Draft): void {
  if (vkey === undefined || more.length > 0) refuse('expected log <vkey> [<url>]');
  logs.push({ key: newKey(vkey, logs), ...(url !== undefined && { url: display(url) }) });
}

function readWitness([name, vkey, url, ...more]: readonly string[], draft: Draft): void {
  if (name === undefined || vkey === undefined || more.length > 0) {
    refuse('expected witness <name> <vkey> [<url>]');
  }
  const key = newKey(vkey, draft.witnesses);
  if (key.type !== 'cosignature') {
    throw new TlogError('unsupported_key', 'the key of a witness must be of type 0x04');
  }
  const witness = { name: display(name), key, ...(url !== undefined && { url: display(url) }) };
  draft.witnesses.push(witness);
  define(name, { kind: 'witness', witness }, draft);
}

function readGroup([name, count, ...names]: readonly string[], draft: Draft): void {
  if (name === undefined || count === undefined || names.length === 0) {
    refuse('expected group <name> <k, all or any> <name>...');
  }
  // Every name is that of a witness or of a group.
  if (draft.named.size - draft.witnesses.length === limits.policyItemsMax) refuseMore();
  const members = names.map((each) => {
    const member = draft.named.get(each);
    if (!member) refuse(`${display(each)} is not defined above`);
    if (draft.grouped.has(each)) refuse(`${display(each)} is a member already`);
    draft.grouped.add(each);
    return member;
  });
  const threshold = thresholdOf(count, members.length);
  define(name, { kind: 'group', name: display(name), threshold, members }, draft);
}

function thresholdOf(count: string, members: number): number {
  if (count === 'any') return 1;
  if (count === 'all') return members;
  const threshold = /^[1-9][0-9]{0,5}$/.test(count) ? Number(count) : 0;
  if (threshold < 1 || threshold > members) refuse(`the threshold must be 1 to ${members}, any or all`);
  return threshold;
}

function readQuorum([name, ...more]: readonly string[], draft: Draft): void {
  if (name === undefined || more.length > 0) refuse('expected quorum <name>');
  if (draft.quorum) refuse('the quorum is defined already');
  const quorum: Quorum | undefined = name === 'none' ? { kind: 'none' } : draft.named.get(name);
  if (!quorum) refuse(`${display(name)} is not defined above`);
  draft.quorum = quorum;
}

function define(name: string, member: QuorumMember, { named }: Draft): void {
  if (name === 'none' || named.has(name)) refuse(`the name ${display(name)} is taken`);
  named.set(name, member);
}

/** A key that differs from all that have been defined so far, whatever its name and id. */
function newKey(vkey: string, known: readonly { key: VerifierKey }[]): VerifierKey {
  if (known.length === limits.policyItemsMax) refuseMore();
  const key = parseVerifierKey(decodeText(octets(vkey)));
  if (known.some((each) => equalBytes(each.key.publicKey, key.publicKey))) {
    refuse('the public key is listed already');
  }
  return key;
}

function refuseMore(): never {
  throw new TlogError(
    'too_large',
    `a policy has at most ${limits.policyItemsMax} logs, witnesses and groups each`,
  );
}

function refuse(message: string): never {
  throw new TlogError('bad_policy', message);
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** For people: octets that are not UTF-8 show as U+FFFD. */
function display(text: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(octets(text));
}
