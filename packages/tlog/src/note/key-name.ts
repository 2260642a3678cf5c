import { TlogError, type TlogReason } from '../tlog-error.ts';

/**
 * Refuse a key name that C2SP signed-note does not allow: an empty one, or one with a Unicode space, a plus
 * or an ASCII control character.
 */
export function checkKeyName(name: string, reason: TlogReason): void {
  if (name === '' || /[\p{White_Space}+]/u.test(name) || hasControl(name) || !name.isWellFormed()) {
    throw new TlogError(
      reason,
      'a key name must not be empty nor hold a space, a plus or a control character',
    );
  }
}

/** Whether a text holds an ASCII control character, the newline excepted where it is allowed. */
export function hasControl(text: string, allowed = ''): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) < 0x20 && text[at] !== allowed) return true;
  }
  return false;
}
