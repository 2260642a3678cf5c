import { decodeBase64 } from '../base64.ts';
import { equalBytes } from '../bytes.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import type { BlockResult } from './check-block.ts';
import type { FindingList } from './findings.ts';
import { integerOf, parseObject, textOf } from './json-fields.ts';
import { bundleLimits } from './lines.ts';

/** What a caller was told when an activity was stored: that this leaf will stand in the log. */
export interface Receipt {
  readonly tenantId: string;
  readonly batchId: string;
  readonly position: number;
  readonly leaf: Uint8Array;
  /** Of the activity. */
  readonly id: string;
}

/** Read a line of a file of receipts. Errors: `bad_line`, `bad_base64`. */
export function readReceipt(text: string): Receipt {
  const line = parseObject(text);
  const leaf = decodeBase64(textOf(line, 'leaf'));
  if (leaf.length !== hashBytes) throw new TlogError('bad_line', `leaf must have ${hashBytes} bytes`);
  const [batchId, id] = [textOf(line, 'batchId'), textOf(line, 'id')];
  if (!isUuid(batchId) || !isUuid(id)) throw new TlogError('bad_line', 'batchId and id must be UUIDs');
  return { tenantId: textOf(line, 'tenantId'), batchId, position: integerOf(line, 'position'), leaf, id };
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

export interface ReceiptReport {
  readonly checked: number;
  readonly found: number;
  readonly missing: number;
  /** Newer than what the bundle covers. */
  readonly newer: number;
  /** Of other tenants: not looked at. */
  readonly others: number;
}

export interface ReceiptBook {
  readonly asksForIds: boolean;
  /** The tenant of the bundle, once known. */
  begin(tenantId: string): void;
  look(block: BlockResult): void;
  /** `coveredMs`: when the newest record of the bundle was received. */
  finish(coveredMs: number): ReceiptReport;
}

/** What comes within this time of the newest record may have been sequenced behind it. */
const lateMsMax = 60_000;

interface Entry {
  readonly receipt: Receipt;
  found: boolean;
  /** Where the activity stands with another leaf. */
  otherAt?: { readonly epoch: number; readonly index: number };
}

/** Looks for the leaves of receipts while the log passes by. */
export function createReceiptBook(receipts: readonly Receipt[], findings: FindingList): ReceiptBook {
  if (receipts.length > bundleLimits.receiptsMax) {
    throw new TlogError('too_large', `at most ${bundleLimits.receiptsMax} receipts are checked at once`);
  }
  const byLeaf = new Map<number, Entry[]>();
  const byId = new Map<string, Entry>();
  const entries: Entry[] = [];
  let others = 0;
  return {
    asksForIds: receipts.length > 0,
    begin: (tenantId) => {
      for (const receipt of receipts) {
        if (receipt.tenantId !== tenantId) {
          others += 1;
          continue;
        }
        const entry = { receipt, found: false };
        const alike = byLeaf.get(prefixOf(receipt.leaf, 0));
        if (alike) alike.push(entry);
        else byLeaf.set(prefixOf(receipt.leaf, 0), [entry]);
        byId.set(receipt.id, entry);
        entries.push(entry);
      }
    },
    look: (block) => {
      if (entries.length === 0) return;
      for (let at = 0; at < block.hashes.length; at += hashBytes) {
        for (const entry of byLeaf.get(prefixOf(block.hashes, at)) ?? []) {
          if (equalBytes(entry.receipt.leaf, block.hashes.subarray(at, at + hashBytes))) entry.found = true;
        }
      }
      for (const [nth, place] of block.places.entries()) {
        const entry = byId.get(idText(block.ids.subarray(nth * 16, nth * 16 + 16)));
        if (!entry || entry.found) continue;
        entry.otherAt = { epoch: block.epoch, index: block.index * 256 + place };
      }
    },
    finish: (coveredMs) => {
      let [found, missing, newer] = [0, 0, 0];
      for (const entry of entries) {
        if (entry.found) found += 1;
        else if (entry.otherAt === undefined && timeOf(entry.receipt.batchId) > coveredMs - lateMsMax)
          newer += 1;
        else {
          missing += 1;
          report(entry, findings);
        }
      }
      if (newer > 0) {
        const message = `${newer} receipts are newer than the bundle; check them against a later one`;
        findings.add('receipt_newer', { message }, newer);
      }
      return { checked: entries.length, found, missing, newer, others };
    },
  };
}

function report({ receipt: { id }, otherAt }: Entry, findings: FindingList): void {
  if (!otherAt) {
    findings.add('receipt_missing', { message: `the activity ${id} was receipted and is not in the log` });
    return;
  }
  const message = `the activity ${id} stands in the log as another one than was receipted`;
  findings.add('receipt_mismatch', { message, ...otherAt });
}

function prefixOf(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

function idText(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The milliseconds that a UUIDv7 begins with. */
function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
