export {
  createLogKey,
  logOrigin,
  type OpenedEpoch,
  type RefusedLog,
  readStoredKeys,
  retireLogKey,
  rotateLogKey,
  type StoredKey,
} from '@annals/core';
export { type AnnalsHandlerOptions, createAnnalsHandler } from './annals-handler.ts';
export { type BundleHandlerOptions, createBundleHandler } from './bundle-handler.ts';
export { type AnnalsCall, type CallOptions, createCall } from './call.ts';
export { type CallerOptions, createCaller } from './create-caller.ts';
export { errorInfoOf } from './error-info.ts';
export { createExportHandler, type ExportHandlerOptions } from './export-handler.ts';
export {
  createFetchHandler,
  type FailedCall,
  type FetchHandlerOptions,
  type ServedRequest,
} from './fetch-handler.ts';
export { batchCallsMax } from './hot-log.ts';
export { createImportHandler, type ImportHandlerOptions, importPath } from './import-handler.ts';
export { type OpenedAnnals, openAnnals } from './open-annals.ts';
export { operatorPrincipal } from './operator-principal.ts';
export type { AnnalsContext } from './procedure.ts';
export { type AnnalsRouter, createAnnalsRouter } from './router.ts';
export { createTlogHandler, type TlogHandlerOptions } from './tlog-handler.ts';
