import type { ActivityInput, ErrorCode, JsonObject } from '@annals/contract';

/** Why a line cannot be stored. */
export interface Refusal {
  readonly code: ErrorCode;
  /** Of the activity, as `context.ip`; absent where the whole line is at fault. */
  readonly path?: string | undefined;
  readonly message: string;
}

/** What one source object becomes. */
export type Mapped = { readonly activity: ActivityInput } | { readonly refusal: Refusal };

/** Turns the object of one line into an activity or a reason; pure, so that a line means the same every time. */
export type ToActivity = (source: JsonObject) => Mapped;

export function refuse(path: string | undefined, message: string): { refusal: Refusal } {
  return { refusal: { code: 'invalid_input', message, ...(path !== undefined && { path }) } };
}
