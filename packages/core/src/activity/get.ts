import { type Activity, AnnalsError } from '@annals/contract';
import { sql } from 'kysely';
import type { Verb } from '../context.ts';
import { read, sightOf } from './read.ts';
import { type ActivityRow, rowColumns, toActivity } from './row.ts';
import { whereActivity } from './where.ts';

/** One activity by its id. Errors `not_found`. */
export async function getActivity({ ctx, input }: Verb<{ id: string }>): Promise<Activity> {
  const where = whereActivity({ id: { any: [input.id] } }, sightOf(ctx));
  const [row] = await read(ctx, (tx) =>
    tx.query(sql<ActivityRow>`select ${rowColumns} from annals.activity where ${where}`),
  );
  if (row) return toActivity(row, sightOf(ctx));
  throw new AnnalsError({ code: 'not_found', message: 'there is no such activity', path: 'id' });
}
