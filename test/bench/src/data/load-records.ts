import { Client } from 'pg';
import { createRandom } from './random.ts';

export interface LoadOptions {
  readonly url: string;
  readonly records: number;
  /** Number of the first of them, where others are there already. */
  readonly first?: number;
  /** Milliseconds since 1970 at which the first of them occurs. */
  readonly startMs: number;
  /** Mean milliseconds between two. */
  readonly stepMs: number;
  readonly connections?: number;
}

/** The tenant that has most of what is loaded. */
export const loadedTenant = 'acme';

const chunkSize = 50_000;
const dayMs = 86_400_000;

/**
 * Fill the table on the server, without a client that writes each record: the same for the same options, but for
 * the generation's speed as other data is. Four of five records are `loadedTenant`'s, the others of 200 tenants.
 *
 * Skew  actors, targets, actions, sources, scopes and tags by Zipf's law; of each closed list one value is
 *       common, one rare and one very rare (one in ten thousand); in bursts of ten.
 * Lacks batches and logs: what is loaded is there to be read.
 */
export async function loadRecords(options: LoadOptions): Promise<void> {
  const { url, records, first = 0, startMs, stepMs, connections = 2 } = options;
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: url }));
  const [client] = clients as [Client];
  await Promise.all(clients.map((each) => each.connect()));
  try {
    for (const statement of helpers) await client.query(statement);
    for (let at = startMs; at < startMs + records * stepMs + 31 * dayMs; at += 20 * dayMs) {
      await client.query('select annals.create_activity_partition($1)', [new Date(at)]);
    }
    const indexes = await dropIndexes(client);
    const end = first + records;
    const starts = Array.from({ length: Math.ceil(records / chunkSize) }, (_, at) => first + at * chunkSize);
    const values = (start: number) => [
      start,
      Math.min(end, start + chunkSize) - 1,
      startMs - first * stepMs,
      stepMs,
    ];
    await Promise.all(
      clients.map(async (each) => {
        for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
          await each.query(insert, values(start));
        }
      }),
    );
    await client.query(`set maintenance_work_mem = '512MB'`);
    for (const index of indexes) await client.query(index);
    // As autovacuum does in time: statistics of the partitions and of the whole, and pages marked as visible.
    await client.query('vacuum (analyze) annals.activity');
    await client.query('checkpoint');
  } finally {
    await Promise.all(clients.map((each) => each.end()));
  }
}

/** All but the key's: made anew they take a fraction of the time. Returns the statements that do so. */
async function dropIndexes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
      from pg_index where indrelid = 'annals.activity'::regclass and not indisprimary`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition.replace(' ON ONLY ', ' ON '));
}

const domains = `'{invoice,order,user,report,project,document,payment,session}'::text[]`;
const verbs = `'{created,updated,deleted,viewed,exported,shared,approved,rejected}'::text[]`;
const random = createRandom(5);
const words =
  'invoice customer order payment account report request updated created exported viewed changed'.split(' ');
const text = Array.from({ length: 128 }, () => words[Math.floor(random() * words.length)]).join(' ');

/** Inlined by the planner. `draw` is the same from 0 to 1 for the same record and salt; `rank` follows Zipf's law. */
const helpers = [
  'create schema if not exists bench',
  `create or replace function bench.draw(n bigint, salt int) returns float8 language sql immutable
    as 'select (hashint8extended(n, salt) & 9007199254740991)::float8 / 9007199254740992'`,
  `create or replace function bench.rank(n bigint, salt int, size int) returns int language sql immutable
    as 'select floor(exp(bench.draw(n, salt) * ln(size)))::int - 1'`,
  `create or replace function bench.phrase(n bigint, salt int, size int) returns text language sql immutable
    as 'select substr(''${text}'', 1 + (hashint8extended(n, salt) & 511)::int, size)'`,
];

/** By the parts of 1 that the values before it take. */
function pick(salt: number, values: readonly (readonly [string | null, number])[]): string {
  const cases = values.map(
    ([value, until]) => `when ${until} then ${value === null ? 'null' : `'${value}'`}`,
  );
  const bounds = values.map(([, until]) => until);
  const chosen = `(array[${bounds.join()}]::float8[])[1 + width_bucket(bench.draw(n, ${salt}), array[${bounds.slice(0, -1).join()}]::float8[])]`;
  return `case ${chosen} ${cases.join(' ')} end`;
}

const columns: Record<string, string> = {
  tenant_id: `case when bench.draw(n, 1) < 0.8 then '${loadedTenant}' else 'tenant-' || bench.rank(n, 2, 200) end`,
  occurred_at: `to_timestamp(ms / 1000.0)`,
  id: `encode(substring(int8send(ms) from 3) || '\\x7000'::bytea || '\\x80'::bytea
    || substring(int8send(hashint8extended(n, 3)) from 2), 'hex')::uuid`,
  batch_id: `encode('\\x0199000000007000'::bytea || '\\x80'::bytea || substring(int8send(n / 100) from 2), 'hex')::uuid`,
  position: `n % 100`,
  recorded_at: `to_timestamp(ms / 1000.0)`,
  scope_id: `case when bench.draw(n, 4) < 0.5 then 'brand-' || bench.rank(n, 5, 50) end`,
  action: `(${domains})[1 + what % 8] || '.' || (${verbs})[1 + what / 8]`,
  kind: `(${pick(6, [
    ['activity', 0.7],
    ['data_change', 0.85],
    ['auth', 0.93],
    ['data_access', 0.98],
    ['api_call', 0.999],
    ['external_call', 0.9999],
    ['system', 1],
  ])})::annals.activity_kind`,
  operation: `(${pick(7, [
    [null, 0.3],
    ['read', 0.6],
    ['update', 0.85],
    ['create', 0.9999],
    ['delete', 1],
  ])})::annals.activity_operation`,
  severity: `(${pick(8, [
    ['info', 0.96],
    ['warning', 0.99],
    ['error', 0.9999],
    ['critical', 1],
  ])})::annals.activity_severity`,
  outcome: `(${pick(9, [
    ['success', 0.95],
    ['failure', 0.995],
    ['denied', 0.9999],
    ['unknown', 1],
  ])})::annals.activity_outcome`,
  visibility: `(${pick(10, [
    ['internal', 0.9],
    ['client', 0.9999],
    ['system', 1],
  ])})::annals.activity_visibility`,
  actor_type: `(${pick(11, [
    ['user', 0.85],
    ['system', 0.93],
    ['worker', 0.98],
    ['integration', 0.9999],
    ['anonymous', 1],
  ])})::annals.activity_actor_type`,
  actor_id: `'usr_' || who`,
  actor_label: `'Person Number ' || who`,
  subject_id: `case when bench.draw(n, 12) < 0.02 then 'person_' || bench.rank(n, 13, 5000) end`,
  target_type: `(${domains})[1 + what % 8]`,
  target_id: `(${domains})[1 + what % 8] || '_' || thing`,
  target_label: `null`,
  channel: pick(14, [
    [null, 0.3],
    ['web', 0.8],
    ['api', 0.98],
    ['mobile', 0.9999],
    ['cli', 1],
  ]),
  source: `'service-' || bench.rank(n, 15, 12)`,
  message: `bench.phrase(n, 100, 60)`,
  ip: `'10.' || who / 256 || '.' || who % 256 || '.' || thing % 256`,
  user_agent: `'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/' || 100 + n % 40 || '.0'`,
  request_id: `'req_' || lpad(to_hex(hashint8extended(n / 3, 16)), 16, '0')`,
  session_id: `'ses_' || left(lpad(to_hex(hashint8extended(n / 300, 17 + who % 8)), 16, '0'), 12)`,
  trace_id: `case when bench.draw(n / 3, 18) < 0.5 then md5((n / 3)::text) end`,
  tags: `case when bench.draw(n, 19) < 0.3 then array['tag-' || bench.rank(n, 20, 50)] else '{}' end`,
  metadata: `jsonb_build_object('plan', (array['free', 'pro', 'enterprise'])[1 + n % 3],
    'amountCents', floor(bench.draw(n, 21) * 1000000)::int,
    'region', (array['eu-west-1', 'us-east-1', 'ap-south-1'])[1 + n % 3],
    'correlation', md5(n::text), 'note', bench.phrase(n, 200, 170),
    'change', jsonb_build_object('field', bench.phrase(n, 300, 8), 'before', bench.phrase(n, 400, 25),
      'after', bench.phrase(n, 500, 25), 'reviewed', n % 2 = 0))`,
  own: `false`,
  seed: `substring(int8send(hashint8extended(n, 22)) || int8send(hashint8extended(n, 23)) from 1)`,
};

/** $1, $2: the first and the last record; $3: when record 0 would have occurred; $4: milliseconds between two. */
const insert = `
  insert into annals.activity (${Object.keys(columns).join()})
  select ${Object.values(columns).join(',\n')}
  from (
    select n, bench.rank(n, 30, 5000) as who, bench.rank(n, 31, 50000) as thing, bench.rank(n, 32, 64) as what,
      ($3::float8 + (n / 10 * 10 + n % 10 * 0.2) * $4::float8)::bigint as ms
    from generate_series($1::bigint, $2::bigint) as n
  ) as drawn`;
