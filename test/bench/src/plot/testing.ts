export interface SvgElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The elements of an SVG as ours are written. Errors: where it is not well-formed. */
export function parseSvg(svg: string): SvgElement[] {
  const elements: SvgElement[] = [];
  const open: string[] = [];
  let rest = svg.trim();
  while (rest !== '') {
    const [whole = '', closing, name = '', attributes = '', closed] =
      /^<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>/.exec(rest) ?? [];
    if (whole === '') throw new Error(`not well-formed: ${rest.slice(0, 80)}`);
    rest = rest.slice(whole.length);
    const text = /^[^<]*/.exec(rest)?.[0] ?? '';
    rest = rest.slice(text.length);
    if (/&(?!amp;|lt;|gt;|quot;)/.test(text + attributes)) throw new Error(`a bare & in ${whole}${text}`);
    if (closing) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else {
      if (!closed) open.push(name);
      elements.push({ name, attributes: attributesOf(attributes), text: decode(text) });
    }
  }
  if (open.length > 0) throw new Error(`left open: ${open.join()}`);
  return elements;
}

function attributesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(/ ([a-zA-Z-]+)="([^"]*)"/g), ([, name = '', value = '']) => [name, value]),
  );
}

function decode(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
