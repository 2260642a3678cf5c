import type { BundleReport, Finding } from '@annals/tlog';
import { formatTime, number } from '../cli/text.ts';
import { describePlace, headlines, notProved, rowsOf } from './describe-report.ts';

/** HTML that is done: everything else is escaped where it is put in. */
class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[];

function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(String.raw({ raw: texts }, ...parts.map(toText)));
}

function toText(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escape(String(part));
  return part.map(({ text }) => text).join('');
}

function escape(text: string): string {
  return text.toWellFormed().replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface HtmlReport {
  readonly report: BundleReport;
  /** What was verified, as the operator named it. */
  readonly name: string;
}

/** The report as one page that needs no other file, and may be mailed and printed. */
export function renderHtml({ report, name }: HtmlReport): string {
  const { verdict, findings } = report;
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Verification of ${name}</title>
<style>${new Html(style)}</style>
<main>
<header class="${verdict}"><h1>${headlines[verdict]}</h1><p>${name}</p></header>
${findings.length > 0 ? html`<section><h2>Findings</h2>${findings.map(renderFinding)}</section>` : ''}
${renderBundle(report)}
${renderCounts(report)}
${renderOthers(report)}
<section><h2>What this does not prove</h2><ul>${notProved.map((line) => html`<li>${line}</li>`)}</ul></section>
</main>
</html>
`.text;
}

function renderFinding({ code, severity, count, first }: Finding): Html {
  const more = count > first.length && first.length > 1 ? count - first.length : 0;
  return html`<h3><span class="tag ${severity}">${severity}</span> <code>${code}</code> × ${number(count)}</h3>
<ul>${first.map((place) => html`<li>${describePlace(place)}</li>`)}${more > 0 ? html`<li>and ${number(more)} more</li>` : ''}</ul>`;
}

function renderBundle({ tenantId, madeAt, checkedAt, logs }: BundleReport): Html {
  const facts: [string, string][] = [
    ['Tenant', tenantId ?? 'unknown'],
    ['Made', madeAt ? formatTime(madeAt, 'UTC') : 'unknown'],
    ['Checked as of', formatTime(checkedAt, 'UTC')],
  ];
  return html`<section><h2>Logs</h2>
<dl>${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>
<div class="wide"><table><thead><tr><th>Log<th class="n">Entries<th class="n">Checkpoints<th>Root, keys and witnesses of the newest</thead>
<tbody>${logs.map(
    (
      log,
    ) => html`<tr><td><code>${log.origin}</code><td class="n">${number(log.size)}<td class="n">${number(log.checkpoints)}
<td><code>${log.root ?? 'not reached'}</code>${log.keys.map((key) => html`<br>signed by <code>${key}</code>`)}${log.cosignatures.map(
      ({ witness, at }) => html`<br>cosigned by ${witness} at ${formatTime(at, 'UTC')}`,
    )}</tr>`,
  )}</tbody></table></div></section>`;
}

function renderCounts({ counts }: BundleReport): Html {
  return html`<section><h2>Every index accounted for</h2>
<table><tbody>${rowsOf(counts).map(
    ([name, count, note]) =>
      html`<tr class="${name === 'UNEXPLAINED' && count > 0 ? 'bad' : ''}"><th>${name}<td class="n">${number(count)}<td>${note}</tr>`,
  )}</tbody></table></section>`;
}

function renderOthers({ manifests, heldCheckpoints, receipts }: BundleReport): Html {
  const lines = [
    `Manifests: ${number(manifests.sealed)} sealed, ${number(manifests.open)} open.`,
    heldCheckpoints > 0
      ? `Checkpoints kept by the auditor: ${number(heldCheckpoints)} compared.`
      : 'No checkpoint kept from earlier was compared: a rewritten log would not be noticed, but for witnesses.',
    receipts
      ? `Receipts: ${number(receipts.checked)} checked, ${number(receipts.found)} found, ${number(receipts.missing)} missing, ${number(receipts.newer)} newer than the bundle.`
      : 'No receipts were checked.',
  ];
  return html`<section><h2>Compared with</h2><ul>${lines.map((line) => html`<li>${line}</li>`)}</ul></section>`;
}

const style = `
:root { color-scheme: light dark; --line: #d0d7de; --good: #1a7f37; --wait: #9a6700; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --good: #3fb950; --wait: #d29922; --bad: #f85149; } }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
header { border-left: .5rem solid; padding: .25rem 1rem; }
header.valid { border-color: var(--good); } header.pending { border-color: var(--wait); } header.invalid { border-color: var(--bad); }
h1 { margin: 0; font-size: 1.75rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; } h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
header p { margin: 0; overflow-wrap: anywhere; } ul { margin: .25rem 0; padding-left: 1.25rem; } li, dd { overflow-wrap: anywhere; }
.tag { border: 1px solid; border-radius: .25rem; padding: 0 .4rem; font-weight: 600; }
.tag.invalid { color: var(--bad); } .tag.pending { color: var(--wait); } .tag.notice { color: inherit; }
dl { display: grid; gap: .25rem; margin: .5rem 0; } dl div { display: flex; gap: 1rem; } dt { min-width: 8rem; font-weight: 600; } dd { margin: 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } td, th { border-top: 1px solid var(--line); padding: .4rem .75rem .4rem 0; text-align: left; vertical-align: top; }
.n { text-align: right; font-variant-numeric: tabular-nums; } .bad { color: var(--bad); font-weight: 600; } code { font-size: .875em; overflow-wrap: anywhere; }
@media print { main { padding: 0; } section { break-inside: avoid; } }
`;
