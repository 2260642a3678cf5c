import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  Activity,
  ActivityInput,
  ApiKey,
  detailsByKind,
  errorStatus,
  Filter,
  filterFields,
  Job,
  limits,
  Plan,
  type ProcedureSpec,
  procedures,
  RetentionPolicy,
} from '@annals/contract';
import { z } from 'zod';
import { type JsonSchema, typeText } from './type-text.ts';

/** Types that stand under a heading of their own and are named elsewhere. */
const namedTypes = {
  ActivityInput: { schema: ActivityInput, io: 'input' },
  Activity: { schema: Activity, io: 'output' },
  Filter: { schema: Filter, io: 'input' },
  Plan: { schema: Plan, io: 'output' },
  Job: { schema: Job, io: 'output' },
  ApiKey: { schema: ApiKey, io: 'output' },
  RetentionPolicy: { schema: RetentionPolicy, io: 'input' },
} as const;

/** docs/api.md, from the contract alone. */
export function renderApi(): string {
  return [
    '# API',
    '',
    '> Generated from `packages/contract`; `CONTRIBUTING.md` says how.',
    '',
    intro,
    '## Procedures',
    '',
    '| procedure | type | scopes (any of) | |',
    '|---|---|---|---|',
    ...Object.entries(procedures).map(
      ([name, { type, scopes, summary }]) =>
        `| [\`${name}\`](#${name.toLowerCase().replace('.', '')}) | ${type} | ${scopeText(scopes)} | ${summary} |`,
    ),
    '',
    ...Object.entries(procedures).map(([name, spec]) => renderProcedure(name, spec)),
    imports,
    logs,
    '## Types',
    '',
    ...Object.entries(namedTypes).map(([name, type]) => renderType(name, type)),
    renderDetails(),
    renderQueryLanguage(),
    renderFilterFields(),
    renderErrors(),
    renderLimits(),
  ].join('\n');
}

const intro = `Every procedure is a POST to \`/trpc/<name>\` with the headers \`authorization: Bearer <key>\` and
\`content-type: application/json\` and a body \`{"json": <input>}\`; the answer is
\`{"result":{"data":{"json": <output>}}}\`. Times travel as ISO 8601 text in \`json\` and are marked as dates in
\`meta\` (superjson); the client makes \`Date\`s of them. The subscription is a GET with \`?input={"json": <input>}\`.

\`tenantId\` may be left out by a key of a tenant. A tenant that the key may not name and one that does not
exist give the same answer, \`not_found\`.
`;

const imports = `## Import

\`POST /api/v1/activities:import\` stores activities without a bound on their number, for a key with
\`activities:write\`. The body is NDJSON in UTF-8, on each line an activity as \`activity.log\` takes it; gzip with
\`content-encoding: gzip\`. Blank lines, CR LF and a byte order mark are passed over; a line of more than
\`activityBytesMax\` is refused and the next is read.

| parameter | |
|---|---|
| \`tenantId\` | for a key of the deployment |
| \`results\` | \`all\`, the default, or \`failures\`: only the lines that are refused |

The answer is NDJSON and comes while the body is read, so read it while sending: who does not read stops the import.

\`\`\`json
{"line":1,"status":"stored","id":"...","occurredAt":"...","recordedAt":"...","batchId":"...","position":0,"leaf":"..."}
{"line":2,"status":"duplicate","id":"...","occurredAt":"..."}
{"line":4,"status":"refused","code":"invalid_input","message":"...","path":"actor.id","limit":256}
{"totals":{"lines":3,"stored":1,"duplicates":1,"refused":1}}
\`\`\`

Lines are numbered from 1, blank ones too; results stand in their order. Blank lines of the answer say that the import
goes on. What fails before anything is stored is an answer of its own, its body the error as below; later it is the last
line, \`{"error": ..., "totals": ...}\`, and the totals are those of the lines told. An answer without a last line broke
off. In each case the same can be imported again: activities with an \`id\`, or with an \`idempotencyKey\` and a time, are
duplicates then.
`;

const logs = `## Receipts and logs

\`activity.log\` answers each stored activity with its receipt: the batch that the call became, the place in it, and
the activity's leaf hash, which the tenant's log must hold from then on. Kept elsewhere, as lines of JSON
\`{"tenantId","id","batchId","position","leaf"}\`, receipts show whether anything that was acknowledged was left out.
With \`ack: "sequenced"\` the call waits for a signed checkpoint, up to ${limits.ackWaitMsMax / 1_000} s, and adds \`index\` and \`proof\` to
each. A call that is made again finds duplicates; their proofs are those of \`integrity.proof\`.

Hashes, tiles, seeds and openings are standard base64. What they commit to is [docs/format.md](format.md)'s.

The logs are also static files of [C2SP tlog-tiles](https://c2sp.org/tlog-tiles), for a key with \`activities:read\` or
\`export\`, or for anybody with \`ANNALS_TLOG_PUBLIC=1\`. From the second epoch on, \`/e<epoch>\` follows the tenant.

| GET (or HEAD) | what | caching |
|---|---|---|
| \`/tlog/<tenant>/checkpoint\` | the newest signed note | \`no-cache\`, with an ETag |
| \`/tlog/<tenant>/tile/<L>/<N>[.p/<W>]\` | hashes; of any width up to what is signed | \`immutable\` |
| \`/tlog/<tenant>/tile/entries/<N>[.p/<W>]\` | entries, without any value of a record; 404 once one of its records is purged | \`no-cache\`, with an ETag |
`;

function renderProcedure(name: string, spec: ProcedureSpec): string {
  return [
    `### ${name}`,
    '',
    `${spec.summary} A ${spec.type}; needs ${scopeText(spec.scopes)}.`,
    '',
    '```ts',
    `input: ${typeText(schemaOf(spec.input, 'input'))}`,
    `output: ${typeText(schemaOf(spec.output, 'output'))}`,
    '```',
    '',
  ].join('\n');
}

function renderType(name: string, { schema, io }: { schema: z.ZodType; io: 'input' | 'output' }): string {
  const own = schemaOf(schema, io, name);
  return [`### ${name}`, '', '```ts', typeText(own), '```', ''].join('\n');
}

function renderDetails(): string {
  const rows = Object.entries(detailsByKind).map(
    ([kind, schema]) => `type ${kind} = ${typeText(schemaOf(schema, 'input'))}`,
  );
  return ['### details by kind', '', '```ts', ...rows, '```', ''].join('\n');
}

/** The grammar stands with the parser; the page quotes it. */
function renderQueryLanguage(): string {
  const file = resolve(import.meta.dirname, '../../../packages/contract/src/filter/parse-query.ts');
  const docstring = readFileSync(file, 'utf8').split('/**')[1]?.split('*/')[0] ?? '';
  const text = docstring.replaceAll(/^ \* ?/gm, '').trim();
  const [, grammar = '', meaning = ''] = text.split(/```(?:ebnf)?\n/);
  return [
    '## Query language',
    '',
    'The same filter as text, in the manner of GitHub:',
    '',
    '```',
    'actor:alice action:invoice.* -outcome:success severity:>=warning since:7d metadata.plan:pro "free text"',
    '```',
    '',
    '```ebnf',
    grammar.trim(),
    '```',
    '',
    '```text',
    meaning.trim(),
    '```',
    '',
  ].join('\n');
}

function renderFilterFields(): string {
  const rows = Object.entries(filterFields).map(
    ([name, field]) => `| \`${name}\` | ${field.description} | ${field.personal ? 'yes' : ''} |`,
  );
  return ['## Filter fields', '', '| field | selects by | personal |', '|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

function renderErrors(): string {
  const rows = Object.entries(errorStatus).map(([code, status]) => `| \`${code}\` | ${status} |`);
  const wire =
    'A failed call answers `{"error":{"json":{"data":{"annals": <error>}}}}`, the error being `{ code, message, path?, limit?, position?, requestId }`.';
  return ['## Error codes', '', wire, '', '| code | HTTP status |', '|---|---|', ...rows, ''].join('\n');
}

function renderLimits(): string {
  const rows = Object.entries(limits).map(
    ([name, value]) => `| \`${name}\` | ${value.toLocaleString('en')} |`,
  );
  return ['## Limits', '', '| limit | value |', '|---|---|', ...rows, ''].join('\n');
}

function scopeText(scopes: readonly string[]): string {
  return scopes.length === 0 ? 'any key' : scopes.map((scope) => `\`${scope}\``).join(' or ');
}

/** JSON Schema in which the named types, other than `self`, stand as references. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', self?: string): JsonSchema {
  const names = z.registry<{ id: string }>();
  for (const [name, type] of Object.entries(namedTypes)) {
    if (name !== self) names.add(type.schema, { id: name });
  }
  return z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    metadata: names,
    override: ({ zodSchema, jsonSchema }) => {
      const title = z.globalRegistry.get(zodSchema)?.title;
      if (title) jsonSchema.title = title;
      if (zodSchema instanceof z.ZodDate) Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
    },
  }) as JsonSchema;
}
