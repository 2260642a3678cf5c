import type { BundleReport, Finding, FindingPlace } from '@annals/tlog';
import { count, formatTime, number, table, visible } from '../cli/text.ts';

export const headlines = {
  valid: 'The bundle is valid.',
  pending: 'The bundle is valid as far as it goes; something is not complete yet.',
  invalid: 'The bundle is NOT valid.',
} as const;

/** What every report must say, lest it is taken for more. */
export const notProved = [
  'that what was logged is true, or that everything was logged',
  'that erased values are gone from everywhere, or what stood there before',
  'anything about entries behind the newest checkpoint',
] as const;

/** The report for a terminal. */
export function describeReport(report: BundleReport): string {
  return [
    headlines[report.verdict],
    ...report.findings.flatMap(describeFinding),
    ...describeBundle(report),
    ...describeChecks(report),
    '',
    'It does not prove',
    ...notProved.map((line) => `  ${line}`),
  ].join('\n');
}

function describeFinding({ code, severity, count: found, first }: Finding): string[] {
  const more = found - first.length;
  return [
    '',
    `${severity === 'invalid' ? 'NOT valid' : severity}: ${code}, ${number(found)} times`.replace(
      /, 1 times$/,
      '',
    ),
    ...first.map((place) => `  ${visible(describePlace(place))}`),
    ...(more > 0 && first.length > 1 ? [`  and ${number(more)} more`] : []),
  ];
}

/** As `epoch 1, index 5: the record is missing`. */
export function describePlace({ epoch, index, line, message }: FindingPlace): string {
  const where = [
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(epoch === undefined ? [] : [`epoch ${epoch}`]),
    ...(index === undefined ? [] : [`index ${index}`]),
  ].join(', ');
  // What could not be read says its line itself.
  return where === '' || message.startsWith(where) ? message : `${where}: ${message}`;
}

function describeBundle({ tenantId, madeAt, checkedAt, logs }: BundleReport): string[] {
  if (tenantId === undefined || madeAt === undefined) return [];
  const made = `made ${formatTime(madeAt)}, checked as of ${formatTime(checkedAt)}`;
  return [
    '',
    `Tenant ${visible(tenantId)}, ${made}`,
    '',
    table(logs, [
      { title: 'log', cell: ({ origin }) => origin },
      { title: 'entries', align: 'right', cell: ({ size }) => number(size) },
      { title: 'checkpoints', align: 'right', cell: ({ checkpoints }) => number(checkpoints) },
      { title: 'root', cell: ({ root }) => root },
    ]),
    ...logs.flatMap(({ keys, cosignatures }) => [
      ...keys.map((key) => `  signed by ${visible(key)}`),
      ...cosignatures.map(({ witness, at }) => `  cosigned by ${visible(witness)} at ${formatTime(at)}`),
    ]),
  ];
}

function describeChecks({ counts, manifests, heldCheckpoints, receipts }: BundleReport): string[] {
  return [
    '',
    ...rowsOf(counts).map(([name, value, note]) =>
      `${name.padEnd(11)} ${number(value).padStart(14)}  ${note}`.trimEnd(),
    ),
    '',
    `${count(manifests.sealed, 'manifest')} sealed, ${number(manifests.open)} open`,
    ...(heldCheckpoints > 0 ? [`${count(heldCheckpoints, 'checkpoint')} of yours compared`] : []),
    ...(receipts
      ? [
          `${count(receipts.checked, 'receipt')}: ${number(receipts.found)} found, ${number(receipts.missing)} missing, ` +
            `${number(receipts.newer)} newer than the bundle; ${number(receipts.others)} of other tenants`,
        ]
      : []),
  ];
}

/** Every index of the logs is one of these. */
export function rowsOf(counts: BundleReport['counts']): [name: string, count: number, note: string][] {
  return [
    ['disclosed', counts.disclosed, 'the record is there, as it was logged'],
    ['erased', counts.erased, 'some of it has gone, as a sealed manifest lists'],
    ['purged', counts.purged, 'it has gone, as a sealed manifest lists'],
    ['pending', counts.pending, 'listed by a manifest that is not sealed yet'],
    ['UNEXPLAINED', counts.unexplained, counts.unexplained === 0 ? '' : 'missing or changed'],
  ];
}
