/** Where a text stops being a query, and what was expected there. Becomes an `AnnalsError` at the edge. */
export class QuerySyntaxError extends Error {
  readonly position: number;

  constructor(position: number, message: string) {
    super(message);
    this.name = 'QuerySyntaxError';
    this.position = position;
  }
}

/** What separates terms: the set that `trim` removes, so that a bare word never has blanks to trim. */
export function isBlank(character: string): boolean {
  return /^\s$/.test(character);
}

/** Read a text in double quotes whose opening one stands at `start`; `\"` and `\\` are the only escapes. */
export function readQuoted(source: string, start: number): { value: string; end: number } {
  let value = '';
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '"') return { value, end: at + 1 };
    if (character !== '\\') {
      value += character;
      continue;
    }
    at += 1;
    const escaped = source.charAt(at);
    if (escaped !== '"' && escaped !== '\\') {
      throw new QuerySyntaxError(at - 1, String.raw`expected \" or \\ after a backslash within quotes`);
    }
    value += escaped;
  }
  throw new QuerySyntaxError(start, 'expected a closing double quote');
}
