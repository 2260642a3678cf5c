import { encodeBase64 } from '../base64.ts';
import { formatVerifierKey } from '../note/verifier-key.ts';
import type { BundleState, LogState } from './bundle-verifier.ts';
import { quote } from './json-fields.ts';
import { type Rotation } from './log-records.ts';
import type { ListedManifest } from './manifests.ts';
import type { BundleReport, IndexCounts, LogReport } from './report.ts';

/** What all of a bundle came to, with the findings that only its end can tell. */
export function writeReport(state: BundleState): BundleReport {
  const { findings, options, records, receipts, header } = state;
  // Of a bundle that ends early nothing is known of what would have come.
  const logs = state.logs.map((log) => reportLog(log, { rotations: records.rotations, ended: state.ended }));
  const manifests = state.manifests.finish();
  const counts = countIndexes(state, manifests);
  const coveredMs = Math.max(...state.logs.map(({ recordedMs: [, last] }) => last));
  const receiptReport = options.receipts && state.ended ? receipts.finish(coveredMs) : undefined;
  return {
    verdict: findings.has('invalid') ? 'invalid' : findings.has('pending') ? 'pending' : 'valid',
    ...(header && { tenantId: header.tenantId, madeAt: header.madeAt }),
    checkedAt: options.now,
    logs,
    counts,
    manifests: {
      sealed: manifests.filter(({ sealing }) => sealing).length,
      open: manifests.filter(({ sealing }) => !sealing).length,
    },
    heldCheckpoints: options.heldCheckpoints?.length ?? 0,
    ...(receiptReport && { receipts: receiptReport }),
    findings: findings.list(),
  };
}

function reportLog(
  { log, checkpoints, root, recordedMs: [first, last] }: LogState,
  { rotations, ended }: { readonly rotations: readonly Rotation[]; readonly ended: boolean },
): LogReport {
  const newest = ended ? checkpoints.finish(rotations) : undefined;
  return {
    ...log,
    ...(root && { root: encodeBase64(root) }),
    checkpoints: checkpoints.count,
    keys: newest?.keys.map(formatVerifierKey) ?? [],
    cosignatures:
      newest?.cosignatures.map(({ witness, timestamp }) => ({
        witness: witness.name,
        at: new Date(timestamp * 1_000),
      })) ?? [],
    ...(Number.isFinite(first) && { firstRecordedAt: new Date(first), lastRecordedAt: new Date(last) }),
  };
}

function countIndexes(state: BundleState, manifests: readonly ListedManifest[]): IndexCounts {
  const { disclosed, unexplained } = state.accounting.counts;
  const counts = { disclosed, erased: 0, purged: 0, pending: 0, unexplained };
  for (const manifest of manifests) counts[standingOf(manifest, state)] += manifest.explained;
  return counts;
}

/** What the indexes that a manifest explains count as; adds what is to be said of one that is not sealed. */
function standingOf(
  { id, kind, explained, firstExplained, sealing }: ListedManifest,
  { findings, records, options, ended }: BundleState,
): keyof IndexCounts {
  if (sealing) {
    if (!sealing.holds) return 'unexplained';
    return kind === 'erasure' ? 'erased' : 'purged';
  }
  if (explained === 0 || !ended) return 'pending';
  if (records.hasRequest(kind, options.now.getTime())) {
    const message = `the manifest ${quote(id)} is not sealed yet; verify a later bundle`;
    findings.add('manifest_open', { message, ...firstExplained }, explained);
    return 'pending';
  }
  const message = `the manifest ${quote(id)} is not sealed, and the log holds no recent request for what it lists`;
  findings.add('request_missing', { message, ...firstExplained }, explained);
  return 'unexplained';
}
