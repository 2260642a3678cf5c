import { type BundleLine, formatBundleLine, formatPolicy, parsePolicy, type RecordLine } from '@annals/tlog';
import type { BundleCase } from './compare.ts';
import { forge, forgersKey } from './forge.ts';

/** What is written of a record, as JSON, in place of what it was; and whether a log can have it. */
const oddities: Record<string, readonly [json: string, isValid: boolean]> = {
  'a key of prototypes': ['{"metadata":{"__proto__":{"a":1},"constructor":2,"toJSON":3}}', true],
  'a key of prototypes within': ['{"metadata":{"a":{"__proto__":{"b":1},"__proto":2}}}', true],
  'numbers at the edges': [
    '{"metadata":{"n":[1e21,1e20,123456789012345680000,-0,0.000001,1e-7,5e-324,-1.7976931348623157e308,1.5e300]}}',
    true,
  ],
  'numbers that are not exact': ['{"metadata":{"n":[9007199254740993,0.1000000000000000055,1e23]}}', true],
  'a number that is too large': ['{"metadata":{"n":1e400}}', false],
  '100 levels': [`{"metadata":{"n":${nested(99)}}}`, true],
  '101 levels': [`{"metadata":{"n":${nested(100)}}}`, false],
  '256 keys': [`{"details":${keys(256)},"metadata":${keys(256)}}`, true],
  '257 keys': [`{"metadata":${keys(257)}}`, false],
  'keys in the order of code units': [
    '{"metadata":{"\\ufb33":1,"\\ud83d\\ude02":2,"10":3,"9":4,"":5}}',
    true,
  ],
  'a lone surrogate in a key': ['{"metadata":{"\\ud83d":1}}', false],
  'a lone surrogate in a text': ['{"message":"\\ude02"}', false],
  'a lone surrogate in a tag': ['{"tags":["\\ude02"]}', false],
  'control characters': [
    '{"message":"\\u0000\\u007f\\u2028","metadata":{"n":"\\u0000\\u001f\\u007f\\u2028"}}',
    true,
  ],
  'a byte order mark': ['{"message":"\\ufeff","metadata":{"\\ufeff":"\\ufeff"}}', true],
  'empty objects': ['{"subject":{},"context":{},"details":{},"metadata":{},"tags":[]}', true],
  'an empty target': ['{"target":{}}', false],
  'an empty text': ['{"message":"","reason":""}', true],
  'null for a text': ['{"message":null}', false],
  'no list of what was erased': ['{"erased":[]}', false],
  'the last day': ['{"recordedAt":"9999-12-31T23:59:59.999Z"}', true],
  'before 1970': ['{"recordedAt":"1969-12-31T23:59:59.999Z"}', false],
  'no leap day': ['{"recordedAt":"2026-02-29T00:00:00.000Z"}', false],
  'no minute': ['{"recordedAt":"2026-02-28T00:60:00.000Z"}', false],
  'a leap second': ['{"recordedAt":"2016-12-31T23:59:60.000Z"}', false],
};

/** The bundle with each oddity in a record, forged so that everything else fits. */
export function oddRecords(exhibit: BundleCase): (BundleCase & { readonly isValid: boolean })[] {
  const { name: origin } = parsePolicy(exhibit.policy).logs[0]?.key ?? { name: '' };
  const policy = formatPolicy({
    logs: [{ key: forgersKey(origin) }],
    witnesses: [],
    quorum: { kind: 'none' },
  });
  const lines = String(exhibit.text)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as BundleLine);
  const at = lines.findIndex((line) => line.type === 'record' && !line.own);
  return Object.entries(oddities).map(([name, [json, isValid]]) => {
    const { record, ...line } = lines[at] as RecordLine;
    const odd = { ...line, record: { ...record, ...(JSON.parse(json) as object) } };
    const text = forge(lines.with(at, odd), { seals: false }).map(formatBundleLine).join('');
    // As it was written, since not all of it can be written from a value.
    const written = json.slice(1, -1);
    const isNumbers = name.startsWith('numbers') || name.startsWith('a number');
    const shown = isNumbers ? text.replace(/"metadata":\{"n":[^}]*\}/, written) : text;
    return { ...exhibit, name, policy, held: [], receipts: [], text: shown, isValid };
  });
}

function nested(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}

function keys(count: number): string {
  return JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at])));
}
