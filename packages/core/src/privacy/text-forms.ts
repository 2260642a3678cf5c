/**
 * One form of a text for all spellings that count as equal: canonical composition (NFC), lower case, the two
 * lower-case sigmas as one, and any run of blanks as one space.
 */
export function fold(text: string): string {
  const folded = isAscii(text)
    ? text.toLowerCase()
    : text.normalize('NFC').toLowerCase().normalize('NFC').replaceAll('ς', 'σ');
  return folded.replace(/\s+/g, ' ');
}

/**
 * The texts that a text can stand for: itself, and what it reads as when it is, or holds, JSON text or a
 * percent-encoded URL.
 *
 * Decoding never yields an ASCII letter or digit: no encoder in use escapes those, and the search in the
 * database relies on finding them as they are (prefilter.ts).
 */
export function formsOf(text: string): string[] {
  return rounds(text, unescapeJson).flatMap((form) =>
    form.includes('+')
      ? [...rounds(form, decodePercent), ...rounds(form.replaceAll('+', ' '), decodePercent)]
      : rounds(form, decodePercent),
  );
}

/** JSON within JSON within JSON, and URLs within URLs: deeper than this nobody nests by accident. */
const roundsMax = 3;

/** The text and what each further decoding makes of it, until that changes nothing. */
function rounds(text: string, decode: (from: string) => string): string[] {
  const forms = [text];
  for (let last = text; forms.length <= roundsMax; ) {
    const next = decode(last);
    if (next === last) break;
    forms.push(next);
    last = next;
  }
  return forms;
}

const escapes = /\\(?:u([0-9a-fA-F]{4})|(["\\/])|[bfnrt])/g;

function unescapeJson(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(escapes, (whole: string, code?: string, literal?: string) => {
    if (code === undefined) return literal ?? ' ';
    const character = String.fromCharCode(Number.parseInt(code, 16));
    return /[0-9A-Za-z]/.test(character) ? whole : character;
  });
}

/** Bytes above ASCII in runs, for one character takes several; of ASCII all but letters and digits. */
const percents = /(?:%[89a-fA-F][0-9a-fA-F])+|%(?:[0-2][0-9a-fA-F]|3[a-fA-F]|40|[57][b-fB-F]|60)/g;

function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(percents, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) > 0x7f) return false;
  }
  return true;
}
