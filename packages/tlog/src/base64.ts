import { TlogError } from './tlog-error.ts';

const form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const chunkBytes = 8_192;

/** Standard base64 with padding (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    binary += String.fromCharCode(...bytes.subarray(at, at + chunkBytes));
  }
  return btoa(binary);
}

/**
 * The bytes of standard base64 with padding (RFC 4648, section 4).
 *
 * Refuses with `bad_base64` whatever `encodeBase64` would not have written, so that one value has one
 * text: blanks, missing padding, the URL alphabet, bits set behind the end (section 3.5).
 */
export function decodeBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !form.test(text)) {
    throw new TlogError('bad_base64', 'expected standard base64 with padding');
  }
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = binary.charCodeAt(at);
  const tail = bytes.length % 3;
  if (tail !== 0 && encodeBase64(bytes.subarray(bytes.length - tail)) !== text.slice(-4)) {
    throw new TlogError('bad_base64', 'the base64 has bits set behind its end');
  }
  return bytes;
}
