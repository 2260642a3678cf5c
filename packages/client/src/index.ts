export {
  type Ack,
  type Activity,
  type ActivityInput,
  AnnalsError,
  type Batch,
  type ErrorCode,
  type FilterInput,
  formatQuery,
  type Hold,
  type ImportedLine,
  type ImportTotals,
  type Job,
  type LogItem,
  type LogResult,
  type Page,
  type Plan,
  parseQuery,
  type TailEvent,
} from '@annals/contract';
export type { Annals, Holds, InputOf, Integrity, Jobs, Keys, Privacy, Retention, Tenants } from './annals.ts';
export { createAnnals } from './create-annals.ts';
export type { ActivityExport, ExportedLines } from './export.ts';
export type { ActivityImport, ImportOptions, ImportSource } from './import.ts';
export type { ActivityList, ListOptions, Selection } from './list.ts';
export { type LoggedActivity, type LogOptions, receiptLine } from './log.ts';
export type { CallOptions, ClientOptions, RetryOptions, WaitingMax } from './options.ts';
export type { ActivityTail, TailOptions } from './tail.ts';
export { type VerifyOptions, type VerifyReport } from './verify.ts';
export { VerifyError, type VerifyReason } from './verify-error.ts';
