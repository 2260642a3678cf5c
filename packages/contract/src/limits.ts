/**
 * Every limit of the contract, in one place: schemas enforce them, error texts and docs name them.
 * Lengths of strings are in Unicode code points unless the name says bytes.
 */
export const limits = {
  /** One activity as UTF-8 JSON. */
  activityBytesMax: 64 * 1024,
  /** Activities in one `activity.log` call. */
  activitiesPerCallMax: 1_000,
  /** Calls of `activity.log` in one request, as a batch: one for each tenant. */
  logCallsPerRequestMax: 64,
  /** Body of one HTTP call. */
  callBytesMax: 4 * 1024 * 1024,
  tenantIdLengthMax: 64,
  actionLengthMax: 128,
  idLengthMax: 256,
  labelLengthMax: 512,
  keywordLengthMax: 128,
  userAgentLengthMax: 1_024,
  textLengthMax: 8_192,
  tagsMax: 32,
  tagLengthMax: 64,
  jsonDepthMax: 8,
  jsonKeysMax: 256,
  jsonKeyLengthMax: 256,
  /** How far ahead of the server's clock `occurredAt` may lie. */
  clockSkewMsMax: 5 * 60 * 1_000,
  pageSizeMax: 1_000,
  pageSizeDefault: 50,
  /** About how much a page holds as JSON: it ends once it holds that much, with fewer activities than were asked for. */
  pageBytesMax: 8 * 1024 * 1024,
  /** About how much of an export is read at once. */
  exportChunkBytes: 4 * 1024 * 1024,
  /** How long a page looks for what no index has; then it ends with what was found, and the next goes on. */
  pageSearchMsMax: 1_000,
  /** Counts stop here and say so. */
  countMax: 10_000,
  statsGroupsMax: 3,
  statsRowsMax: 10_000,
  statsRowsDefault: 1_000,
  facetFieldsMax: 16,
  facetValuesMax: 100,
  facetValuesDefault: 10,
  /**
   * What one count may look at where no rollup answers it: activities that the filter selects; milliseconds; and
   * after these only the newest activities. Beyond, it is an estimate.
   */
  scanActivitiesMax: 100_000,
  scanMsMax: 3_000,
  scanNewestMax: 50_000,
  /** A query text, and any filter when it is written as one. */
  queryLengthMax: 16_384,
  /** Values of one field of a filter, and values of all its fields together. */
  filterValuesMax: 100,
  filterTermsMax: 200,
  /** One word or phrase that a filter searches for. */
  searchTextLengthMax: 256,
  metadataPathDepthMax: 8,
  /** Identifiers of one person that one anonymize run looks for. */
  identifiersMax: 64,
  identifierLengthMin: 3,
  redactFieldsMax: 64,
  keyNameLengthMax: 128,
  /** Holds of one tenant that are active at once. */
  holdsMax: 100,
  holdNameLengthMax: 256,
  holdReasonLengthMax: 1_024,
  policiesMax: 100,
  /** Actions that one retention policy names. */
  policyActionsMax: 50,
  retentionDaysMax: 36_500,
  /** Calls of `job.watch` that one process answers at once for one tenant. */
  watchesPerTenantMax: 100,
  /** Calls of `activity.tail` that one process answers at once for one tenant. */
  tailsPerTenantMax: 100,
  /** Activities in one event of `activity.tail`. */
  tailActivitiesMax: 128,
  /** How long `activity.log` waits for a signed checkpoint when it is asked to. */
  ackWaitMsMax: 10_000,
  /** Hashes of one proof in the largest tree there can be. */
  proofHashesMax: 64,
  tilePathLengthMax: 64,
} as const;
