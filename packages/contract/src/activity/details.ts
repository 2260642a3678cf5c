import { z } from 'zod';
import { jsonObject, jsonValue } from '../json.ts';
import { limits } from '../limits.ts';
import { optionalText, text } from '../text.ts';

const label = () => optionalText(limits.labelLengthMax);
const keyword = () => optionalText(limits.keywordLengthMax);
const names = () => z.array(text(limits.labelLengthMax)).max(limits.jsonKeysMax).optional();
const count = () => z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional();
const milliseconds = () => z.number().nonnegative().optional();
const status = () => z.number().int().min(0).max(999).optional();

/** Sign-in, sign-out, second factors, sessions. */
export const authDetails = z.strictObject({
  method: keyword(),
  provider: label(),
  mfa: z.boolean().optional(),
  factor: keyword(),
  failureReason: label(),
});

/** Reading data: which records, which fields, with which permission. */
export const dataAccessDetails = z.strictObject({
  resource: text(limits.labelLengthMax),
  recordIds: names(),
  fields: names(),
  query: jsonValue.optional(),
  rowCount: count(),
  permission: keyword(),
});

/** Changing data: the values before and after. */
export const dataChangeDetails = z.strictObject({
  resource: text(limits.labelLengthMax),
  recordId: optionalText(limits.idLengthMax),
  before: jsonObject.optional(),
  after: jsonObject.optional(),
  changedFields: names(),
  rules: names(),
});

/** A call to our own API. */
export const apiCallDetails = z.strictObject({
  method: text(limits.keywordLengthMax),
  path: text(limits.textLengthMax),
  statusCode: status(),
  durationMs: milliseconds(),
  requestBytes: count(),
  responseBytes: count(),
  errorMessage: optionalText(limits.textLengthMax),
});

/** A call to somebody else's service. */
export const externalCallDetails = z.strictObject({
  service: text(limits.labelLengthMax),
  endpoint: optionalText(limits.textLengthMax),
  method: keyword(),
  statusCode: status(),
  durationMs: milliseconds(),
  errorMessage: optionalText(limits.textLengthMax),
  rateLimitRemaining: count(),
});

/** What the system itself did or suffered. */
export const systemDetails = z.strictObject({
  component: text(limits.labelLengthMax),
  eventType: keyword(),
  errorCode: keyword(),
  errorMessage: optionalText(limits.textLengthMax),
  stackTrace: optionalText(limits.textLengthMax),
  affected: names(),
});

/** Which schema types `details`, by the record's `kind`; the plain kind `activity` carries none. */
export const detailsByKind = {
  auth: authDetails,
  data_access: dataAccessDetails,
  data_change: dataChangeDetails,
  api_call: apiCallDetails,
  external_call: externalCallDetails,
  system: systemDetails,
} as const;
