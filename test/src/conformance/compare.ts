import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BundleReport,
  parsePolicy,
  readReceipt,
  verifyAuditBundle,
  verifyCertificate,
} from '@annals/tlog';
import { type BatchCase, type PythonVerdict, verifyInPython } from './python.ts';

/** A bundle, and what an auditor brings along. */
export interface BundleCase {
  readonly name: string;
  readonly text: string | Uint8Array;
  readonly policy: string;
  /** Notes of checkpoints that were kept. */
  readonly held: readonly string[];
  readonly receipts: readonly string[];
  readonly now: Date;
}

export interface CertificateCase {
  readonly name: string;
  readonly text: string;
  readonly policy: string;
  readonly now: Date;
}

export interface Comparison {
  readonly name: string;
  readonly ours: Verdict;
  readonly theirs: Verdict;
}

/** What both verifiers must say of a case. */
export interface Verdict {
  readonly exit: number;
  readonly counts?: unknown;
  /** As `code`, `code@epoch` or `code@epoch/index`. */
  readonly findings?: readonly string[];
}

const exits = { valid: 0, invalid: 7, pending: 8 } as const;

/** After these nothing else of the bundle counts, so that findings may or may not have been made before. */
const stopping = ['bundle_malformed', 'bundle_truncated'];

export async function compareBundles(dir: string, cases: readonly BundleCase[]): Promise<Comparison[]> {
  const files: BatchCase[] = [];
  const known = new Map<string, string>();
  const fileOf = async (text: string | Uint8Array, name: string) => {
    const key = typeof text === 'string' ? text : '';
    const path = known.get(key) ?? join(dir, name);
    if (!known.has(key)) await writeFile(path, text);
    if (key !== '') known.set(key, path);
    return path;
  };
  for (const [at, { text, policy, held, receipts, now }] of cases.entries()) {
    const oldCheckpoints: string[] = [];
    for (const [nth, note] of held.entries())
      oldCheckpoints.push(await fileOf(note, `${at}.${nth}.checkpoint`));
    files.push({
      bundle: await fileOf(text, `${at}.ndjson`),
      policy: await fileOf(policy, `${at}.policy`),
      oldCheckpoints,
      ...(receipts.length > 0 && { receipts: await fileOf(`${receipts.join('\n')}\n`, `${at}.receipts`) }),
      now: now.toISOString(),
    });
  }
  const theirs = verifyInPython(dir, files);
  const ours: BundleReport[] = [];
  for (const each of cases) {
    const bytes = typeof each.text === 'string' ? new TextEncoder().encode(each.text) : each.text;
    const { policy, held: heldCheckpoints, now } = each;
    const receipts = each.receipts.map(readReceipt);
    ours.push(await verifyAuditBundle([bytes], { policy, heldCheckpoints, receipts, now }));
  }
  const verdicts = await theirs;
  return cases.map(({ name }, at) => {
    const [report, verdict] = [ours[at] as BundleReport, verdicts[at] as PythonVerdict];
    return { name, ours: ofReport(report), theirs: ofPython(verdict) };
  });
}

function ofReport({ verdict, counts, findings }: BundleReport): Verdict {
  const found = findings.flatMap(({ code, first }) => first.map((place) => placeOf(code, place)));
  return normal({ exit: exits[verdict], counts, findings: found });
}

function ofPython({ exit, counts, findings = [], what }: PythonVerdict): Verdict {
  if (exit === 2) throw new Error(what);
  // As ours does, the first 20 of each code.
  const first = new Map<string, number>();
  const shown = findings.filter(({ code }) => {
    first.set(code, (first.get(code) ?? 0) + 1);
    return (first.get(code) ?? 0) <= 20;
  });
  return normal({ exit, counts, findings: shown.map((found) => placeOf(found.code, found)) });
}

function normal({ exit, counts, findings = [] }: Verdict): Verdict {
  const stop = findings.map((found) => found.split('@')[0] ?? '').find((code) => stopping.includes(code));
  if (stop) return { exit, findings: [stop] };
  return { exit, counts, findings: [...new Set(findings)].toSorted() };
}

function placeOf(
  code: string,
  { epoch, index }: { epoch?: number | undefined; index?: number | undefined },
): string {
  return `${code}${epoch === undefined ? '' : `@${epoch}`}${index === undefined ? '' : `/${index}`}`;
}

export async function compareCertificates(
  dir: string,
  cases: readonly CertificateCase[],
): Promise<Comparison[]> {
  const files: BatchCase[] = [];
  for (const [at, { text, policy, now }] of cases.entries()) {
    const paths = { certificate: join(dir, `${at}.json`), policy: join(dir, `${at}.policy`) };
    await writeFile(paths.certificate, text);
    await writeFile(paths.policy, policy);
    files.push({ ...paths, now: now.toISOString() });
  }
  const theirs = await verifyInPython(dir, files);
  return cases.map(({ name, text, policy, now }, at) => {
    const { outcome } = verifyCertificate({ text, policy: parsePolicy(policy), now });
    return { name, ours: { exit: exits[outcome] }, theirs: { exit: theirs[at]?.exit ?? -1 } };
  });
}
