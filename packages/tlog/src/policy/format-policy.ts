import { formatVerifierKey } from '../note/verifier-key.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Policy, Quorum } from './policy.ts';

/** A policy file as C2SP tlog-policy has it; a policy that it cannot tell is refused as by `parsePolicy`. */
export function formatPolicy({ logs, witnesses, quorum }: Policy): string {
  const lines = [
    ...logs.map(({ key, url }) => ['log', formatVerifierKey(key), url]),
    ...witnesses.map(({ name, key, url }) => ['witness', name, formatVerifierKey(key), url]),
    ...groupLines(quorum),
    ['quorum', nameOf(quorum)],
  ];
  const file = lines.map((items) => `${items.filter((item) => item !== undefined).join(' ')}\n`).join('');
  // Names with spaces, unknown members and the like.
  parsePolicy(file);
  return file;
}

/** A group stands behind the groups that are its members. */
function groupLines(quorum: Quorum): string[][] {
  if (quorum.kind !== 'group') return [];
  const { name, threshold, members } = quorum;
  return [...members.flatMap(groupLines), ['group', name, String(threshold), ...members.map(nameOf)]];
}

function nameOf(quorum: Quorum): string {
  if (quorum.kind === 'none') return 'none';
  return quorum.kind === 'witness' ? quorum.witness.name : quorum.name;
}
