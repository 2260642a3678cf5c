import { isOriginOf } from '../log-origin.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import type { Policy } from '../policy/policy.ts';
import { tileWidth } from '../tiles/tile.ts';
import { TlogError } from '../tlog-error.ts';
import { type Accounting, createAccounting } from './accounting.ts';
import type { BlockCheck, BlockResult } from './check-block.ts';
import { checkOpening } from './check-opening.ts';
import { type CheckpointBook, createCheckpointBook } from './checkpoint-book.ts';
import { baseOrigin, policyOfEpochs, readUntrusted } from './checkpoints.ts';
import { createFindings, type FindingList } from './findings.ts';
import { quote } from './json-fields.ts';
import type { BundleLog } from './lines.ts';
import { createLogRecords, type LogRecords } from './log-records.ts';
import { createLogWalk, type LogWalk } from './log-walk.ts';
import { createManifests, type Manifests } from './manifests.ts';
import type { OwnRecord } from './own-record.ts';
import { type FrontLine, type Header, readLine } from './read-line.ts';
import { createReceiptBook, type Receipt, type ReceiptBook } from './receipts.ts';
import type { BundleReport } from './report.ts';
import { writeReport } from './write-report.ts';

export interface BundleVerification {
  /** The auditor's own policy file; what a bundle says of itself counts for nothing. */
  readonly policy: string | Uint8Array;
  /** Notes of checkpoints that the auditor kept. */
  readonly heldCheckpoints?: readonly string[] | undefined;
  readonly receipts?: readonly Receipt[] | undefined;
  /** Judges how long a manifest may be open. */
  readonly now: Date;
}

/**
 * Checks a bundle as it streams by. Feed it what `createBundleSplitter` gives, in that order: lines as they are,
 * blocks as what `checkBlock` made of them, which any thread can do.
 */
export interface BundleVerifier {
  /** What blocks are checked by, once the first line was read. */
  readonly check: BlockCheck | undefined;
  /** Whether a line was not as the format has it, so that nothing further counts. */
  readonly stopped: boolean;
  line(part: { readonly line: number; readonly text: string }): void;
  block(result: BlockResult): void;
  /** The file could not be read further: the splitter's error, or that of decompressing. */
  fail(message: string): void;
  finish(): BundleReport;
}

/** What is kept of one log while its tiles pass by. */
export interface LogState {
  readonly log: BundleLog;
  readonly checkpoints: CheckpointBook;
  walk?: LogWalk;
  root?: Uint8Array;
  recordedMs: readonly [first: number, last: number];
}

/** All that is known so far. */
export interface BundleState {
  readonly options: BundleVerification;
  readonly policy: Policy;
  readonly findings: FindingList;
  readonly manifests: Manifests;
  readonly accounting: Accounting;
  readonly records: LogRecords;
  readonly receipts: ReceiptBook;
  header?: Header;
  hasPolicy: boolean;
  logs: readonly LogState[];
  recordCount: number;
  ended: boolean;
  stopped: boolean;
}

/**
 * Errors  of `parsePolicy`; `bad_policy` for one that lists no log; `bad_note`, `bad_checkpoint` for a kept
 *         checkpoint that is none. What a bundle does wrong is a finding, never an error.
 */
export function createBundleVerifier(options: BundleVerification): BundleVerifier {
  const policy = parsePolicy(options.policy);
  if (policy.logs.length === 0) throw new TlogError('bad_policy', 'the policy lists no log');
  options.heldCheckpoints?.forEach(readUntrusted);
  const findings = createFindings();
  const manifests = createManifests(findings);
  const state: BundleState = {
    options,
    policy,
    findings,
    manifests,
    accounting: createAccounting(manifests, findings),
    records: createLogRecords(),
    receipts: createReceiptBook(options.receipts ?? [], findings),
    hasPolicy: false,
    logs: [],
    recordCount: 0,
    ended: false,
    stopped: false,
  };
  const attempt = (line: number, work: () => void) => {
    if (state.stopped) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      state.stopped = true;
      findings.add('bundle_malformed', { message: error.message, line });
    }
  };
  return {
    get check() {
      const { header, receipts } = state;
      return header && { tenantId: header.tenantId, withIds: receipts.asksForIds };
    },
    get stopped() {
      return state.stopped;
    },
    line: ({ line, text }) => attempt(line, () => takeLine(state, readLine(text))),
    block: (block) => attempt(block.line, () => takeBlock(state, block)),
    fail: (message) => {
      if (!state.stopped) findings.add('bundle_malformed', { message });
      state.stopped = true;
    },
    finish: () => {
      if (!state.stopped && !state.ended) {
        findings.add('bundle_truncated', { message: 'the end is missing: the bundle was cut off' });
      }
      return writeReport(state);
    },
  };
}

function takeLine(state: BundleState, line: FrontLine): void {
  if (state.ended) throw new TlogError('bad_line', 'something follows the end');
  if (line.type === 'bundle') return takeHeader(state, line);
  if (!state.header) throw new TlogError('bad_line', 'the first line must be that of the bundle');
  if (line.type === 'end') return takeEnd(state, line.records);
  if (state.logs[0]?.walk)
    throw new TlogError('bad_line', `a line of type ${line.type} stands behind a tile`);
  if (line.type === 'policy') {
    if (state.hasPolicy) throw new TlogError('bad_line', 'the bundle has a second policy');
    state.hasPolicy = true;
  }
  if (line.type === 'manifest') state.manifests.add(line);
  if (line.type === 'checkpoint') {
    const log = state.logs.find(({ log }) => log.epoch === line.epoch);
    if (!log) throw new TlogError('bad_line', `the bundle has no epoch ${line.epoch}`);
    log.checkpoints.add(line.note);
  }
}

function takeHeader(state: BundleState, header: Header): void {
  if (state.header) throw new TlogError('bad_line', 'the bundle begins twice');
  const { findings, options, receipts } = state;
  checkLogs(header);
  state.header = header;
  const policy = policyOfEpochs(state.policy, header.logs);
  state.logs = header.logs.map((log) => ({
    log,
    checkpoints: createCheckpointBook({ log, policy, findings }),
    recordedMs: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  }));
  receipts.begin(header.tenantId);
  for (const note of options.heldCheckpoints ?? []) {
    const { origin } = readUntrusted(note);
    const held = state.logs.find(({ log }) => log.origin === origin);
    if (held) held.checkpoints.hold(note);
    else {
      const message = `the bundle does not have the log ${quote(origin)}, of which a checkpoint was kept`;
      findings.add('held_checkpoint_unknown', { message });
    }
  }
}

/** The logs must be epochs of one log, that of the tenant. Errors: `bad_line`. */
function checkLogs({ tenantId, logs }: Header): void {
  const base = logs[0] && baseOrigin(logs[0]);
  if (base === undefined || !tenantId.isWellFormed() || !isOriginOf(base, { tenantId, epoch: 1 })) {
    throw new TlogError('bad_line', 'the first log is not that of the tenant');
  }
  for (const [at, { epoch, origin, size }] of logs.entries()) {
    const follows = epoch > (logs[at - 1]?.epoch ?? 0);
    if (!follows || origin !== (epoch === 1 ? base : `${base}/e${epoch}`) || size === 0) {
      throw new TlogError('bad_line', 'the logs are not epochs of one log, in their order');
    }
  }
}

function takeBlock(state: BundleState, block: BlockResult): void {
  if (block.malformed !== undefined) throw new TlogError('bad_line', block.malformed);
  if (state.ended) throw new TlogError('bad_line', 'something follows the end');
  const log = state.logs.find(({ root }) => root === undefined);
  if (!log) throw new TlogError('bad_line', 'a tile stands behind the last of the logs');
  log.walk ??= createLogWalk(log.log, log.checkpoints.expected());
  log.walk.add(block);
  state.recordCount += block.places.length;
  state.receipts.look(block);
  const [first, last] = block.recordedMs;
  log.recordedMs = [Math.min(log.recordedMs[0], first), Math.max(log.recordedMs[1], last)];
  const trusted = state.accounting.add(block);
  const own = block.own.filter(({ place }) => trusted.has(place));
  for (const record of own)
    takeOwnRecord(state, record, { epoch: block.epoch, start: block.index * tileWidth });
  if (block.index === 0 && block.epoch > 1) {
    checkOpening(own[0], { log, before: state.logs[state.logs.indexOf(log) - 1], findings: state.findings });
  }
  if (log.walk.size === log.log.size) log.root = log.walk.finish();
}

function takeOwnRecord(
  { manifests, records }: BundleState,
  record: OwnRecord,
  { epoch, start }: { epoch: number; start: number },
): void {
  const place = { epoch, index: start + record.place };
  records.add(record, place);
  if (record.action === 'annals.manifest_sealed') manifests.seal(record, place);
}

function takeEnd(state: BundleState, records: number): void {
  if (state.logs.some(({ root }) => root === undefined)) {
    throw new TlogError('bad_line', 'the end stands before the last tile');
  }
  if (records !== state.recordCount) {
    throw new TlogError(
      'bad_line',
      `the bundle says that it has ${records} records, not ${state.recordCount}`,
    );
  }
  state.ended = true;
}
