import { Migration } from '@mikro-orm/migrations';
import { schemaSql } from './0001-schema.sql.ts';

/** The first schema: tables, policies, grants, and the functions that the runtime roles borrow of the owner. */
export class Schema0001 extends Migration {
  override up(): void {
    for (const statement of schemaSql) this.addSql(statement);
  }
}
