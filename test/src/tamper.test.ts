import { columnCases } from './tamper/column-cases.ts';
import { openHistory } from './tamper/history.ts';
import { rowCases } from './tamper/row-cases.ts';
import { testCases } from './tamper/test-cases.ts';
import { dropKeys, integrityTables } from './tamper/undo.ts';

/** Every column of every table beside the activities, changed as the database's superuser, and what comes of it. */
const tables = integrityTables.filter((table) => table !== 'activity');
const history = await openHistory();
await dropKeys(history.admin);
testCases(history, [...(await columnCases(history.admin, tables)), ...rowCases(tables)], tables);
