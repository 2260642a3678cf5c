import { createHash } from 'node:crypto';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { CompiledQuery, RawBuilder } from 'kysely';
import type { Tx } from './database.ts';
import type { Channel } from './signals.ts';

export interface OpenTx {
  readonly tenantId: string;
  /** Of the open transaction. */
  readonly em: EntityManager;
  /** Have each statement parsed and planned once by a connection, for whatever values. */
  readonly prepared: boolean;
  /** Throws where no statement may be begun any more. */
  readonly mayBegin: () => void;
  readonly notified: Set<Channel>;
}

/** What the work of a transaction is given. */
export function openTx({ tenantId, em, prepared, mayBegin, notified }: OpenTx): Tx {
  const kysely = em.getKysely();
  return {
    tenantId,
    em,
    query: async <Row>(statement: RawBuilder<Row>) => {
      mayBegin();
      const query = statement.compile(kysely);
      return (await kysely.executeQuery<Row>(prepared ? named(query) : query)).rows;
    },
    stream: async function* <Row>(statement: RawBuilder<Row>, rowsAtOnce: number) {
      mayBegin();
      const portions = kysely.getExecutor().stream<Row>(statement.compile(kysely), rowsAtOnce);
      for await (const { rows } of portions) yield rows;
    },
    notify: (channel) => void notified.add(channel),
  };
}

/** Prepared statements have names; the same text has the same on every connection. */
function named<Row>(query: CompiledQuery<Row>): CompiledQuery<Row> {
  const name = `annals_${createHash('sha256').update(query.sql).digest('base64url')}`;
  return { ...query, sql: asText({ name, text: query.sql }) };
}

/** The driver takes other things in place of a text, and the builder passes on what it is given. */
function asText(query: object): string {
  return query as unknown as string;
}
