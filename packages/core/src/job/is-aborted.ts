/** Read anew each time: a signal changes while a loop waits. */
export function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted ?? false;
}
