import { errorStatus } from '@annals/contract';
import type { AnnalsCall } from './call.ts';
import { errorInfoOf } from './error-info.ts';
import { logFailure } from './log-failure.ts';
import { headersOfCodes } from './response-meta.ts';

/** The answer to a request, outside of the router, that failed: the error as JSON, under its status. */
export function refuse(error: unknown, { services, requestId }: AnnalsCall, procedure: string): Response {
  logFailure(services.log, { error, requestId, procedure });
  const info = errorInfoOf(error);
  const { code } = info;
  return Response.json(
    { ...info, requestId },
    { status: errorStatus[code], headers: headersOfCodes([code]) },
  );
}
