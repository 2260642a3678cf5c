/** Colours for light and dark pages, as classes; the picture follows the theme of whoever looks. */
export const style = `
  :root { color-scheme: light dark; }
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #59636e; font-size: 11px; }
  .back { fill: #ffffff; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .target { stroke: #59636e; stroke-dasharray: 4 3; fill: none; }
  .line { fill: none; stroke-width: 2; }
  ${palette(['#0550ae', '#bc4c00', '#116329', '#8250df', '#a40e26', '#006d75', '#7d4e00', '#57606a'])}
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .back { fill: #0d1117; }
    .grid { stroke: #3d444d; }
    .target { stroke: #9198a1; }
    ${palette(['#79c0ff', '#ffa657', '#7ee787', '#d2a8ff', '#ff7b72', '#56d4dd', '#e3b341', '#b1bac4'])}
  }`;

/** As many as can be told apart; more than that begin again. */
export const colours = 8;

function palette(values: readonly string[]): string {
  return values
    .map((value, at) => `.s${at} { stroke: ${value}; } .m${at} { fill: ${value}; stroke: none; }`)
    .join('\n  ');
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** For who cannot see it. */
  readonly title: string;
  readonly body: readonly string[];
}

export function svgOf({ width, height, title, body }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escapeXml(title)}</title>
<style>${style}
</style>
<rect class="back" width="${width}" height="${height}"/>
${body.join('\n')}
</svg>
`;
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly className?: string;
  readonly turned?: boolean;
}

export function textAt(
  [x, y]: Point,
  text: string,
  { anchor = 'start', className, turned = false }: TextOptions = {},
): string {
  const kind = className === undefined ? '' : ` class="${className}"`;
  const turn = turned ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : '';
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${kind}${turn}>${escapeXml(text)}</text>`;
}

export type Point = readonly [x: number, y: number];

export function lineThrough(points: readonly Point[], className: string): string {
  return `<polyline class="${className}" points="${points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}"/>`;
}

/** In a shape of its own beside its neighbours, for who cannot tell the colours apart. */
export function markerAt([x, y]: Point, series: number): string {
  const className = `m${series % colours}`;
  const shape = series % 3;
  if (shape === 0) return `<circle class="${className}" cx="${round(x)}" cy="${round(y)}" r="3.5"/>`;
  if (shape === 1)
    return `<rect class="${className}" x="${round(x - 3.5)}" y="${round(y - 3.5)}" width="7" height="7"/>`;
  const corners = [
    [x, y - 4.5],
    [x + 4.5, y + 3.5],
    [x - 4.5, y + 3.5],
  ].map((corner) => corner.map(round).join(','));
  return `<polygon class="${className}" points="${corners.join(' ')}"/>`;
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
