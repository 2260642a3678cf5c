// What may stand before a formula and still be passed over: blanks, quotes, invisible characters.
const lead = String.raw`[\s"\p{Cc}\p{Cf}]*`;
const formula = new RegExp(String.raw`^${lead}[=+\-@＝＋－＠]`, 'u');
const separators = /([;\t\r\n])/;
const plainNumber = /^-?\d+(?:\.\d+)?$/;

/**
 * A cell that no spreadsheet executes: an apostrophe goes before what would begin a formula (= + - @, also
 * full-width, also after blanks, quotes and invisible characters), at the start of the cell and after a
 * semicolon, a tab or a line end within it, where a program set to another separator would begin a cell.
 *
 * A plain number, also a negative one, is left alone: it is a value, not a formula.
 */
export function neutralise(cell: string): string {
  if (plainNumber.test(cell)) return cell;
  const parts = cell.split(separators);
  return parts.map((part) => (formula.test(part) ? `'${part}` : part)).join('');
}
