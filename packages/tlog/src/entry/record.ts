/** JSON as a record holds it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = { readonly [key: string]: Json };

/** An activity as it is read: what an entry commits to. Optional fields are absent, never null. */
export interface LoggedRecord {
  /** UUIDv7; its 48-bit time is when the activity occurred. */
  readonly id: string;
  readonly recordedAt: Date;
  readonly action: string;
  readonly kind: string;
  readonly operation?: string | undefined;
  readonly severity: string;
  readonly outcome: string;
  readonly visibility: string;
  readonly scopeId?: string | undefined;
  readonly actor: {
    readonly type: string;
    readonly id?: string | undefined;
    readonly label?: string | undefined;
  };
  readonly subject?: { readonly id?: string | undefined } | undefined;
  readonly target?:
    | { readonly type: string; readonly id?: string | undefined; readonly label?: string | undefined }
    | undefined;
  readonly channel?: string | undefined;
  readonly source?: string | undefined;
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly context?:
    | {
        readonly ip?: string | undefined;
        readonly userAgent?: string | undefined;
        readonly requestId?: string | undefined;
        readonly sessionId?: string | undefined;
        readonly traceId?: string | undefined;
        readonly spanId?: string | undefined;
      }
    | undefined;
  readonly tags: readonly string[];
  readonly metadata: JsonMap;
  readonly details?: JsonMap | undefined;
  /** Names of the fields that were erased, as readers see them. */
  readonly erased?: readonly string[] | undefined;
  /** Whether Annals itself wrote it. */
  readonly own?: boolean | undefined;
}
