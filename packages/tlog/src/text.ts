import { TlogError, type TlogReason } from './tlog-error.ts';

const encoder = new TextEncoder();
// ignoreBOM keeps a byte order mark as a character: what is signed must not change in decoding.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of a text; a lone surrogate, which has none, is refused with `bad_text`. */
export function encodeText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new TlogError('bad_text', 'the text holds a lone surrogate');
  return encoder.encode(text);
}

/** The text of UTF-8 bytes, exactly; bytes that are not UTF-8 are refused with `bad_text`. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TlogError('bad_text', 'the bytes are not valid UTF-8', { cause });
  }
}

export interface DecimalOptions {
  readonly name: string;
  readonly reason: TlogReason;
}

/**
 * A non-negative integer as the C2SP specifications write it: ASCII digits without leading zeros.
 *
 * Errors  `reason` for another form, `too_large` beyond 2^53 - 1.
 */
export function parseDecimal(text: string, { name, reason }: DecimalOptions): number {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text)) {
    throw new TlogError(reason, `${name} must be decimal digits without leading zeros`);
  }
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new TlogError('too_large', `${name} must be at most 2^53 - 1`);
  return value;
}
