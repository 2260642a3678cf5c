// tRPC shapes some errors before it has made a context, so an error itself is remembered with its request.
const requestIds = new WeakMap<Error, string>();

/** Note which request an error belongs to, before it is shaped for the wire. */
export function noteRequestId(error: Error, requestId: string): void {
  requestIds.set(error, requestId);
}

export function requestIdOfError(error: Error): { requestId?: string } {
  const requestId = requestIds.get(error);
  return requestId === undefined ? {} : { requestId };
}
