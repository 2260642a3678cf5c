import { type AnnalsError, limits } from '@annals/contract';
import type { TRPCError } from '@trpc/server';
import { resolveResponse } from '@trpc/server/http';
import type { AnnalsCall } from './call.ts';
import { toTrpcError } from './error-info.ts';
import { callsMaxOf } from './hot-log.ts';
import { discardBody, limitBody } from './limit-body.ts';
import { headersOf, statusOf } from './response-meta.ts';
import { createAnnalsRouter } from './router.ts';

/** A request to the router, as far as it was looked at. */
export interface RouterRequest {
  readonly call: AnnalsCall;
  /** Below the endpoint. */
  readonly path: string;
  /** Told of each failure before it is answered; of the path of the call that failed, where there is one. */
  readonly onFailed: (error: TRPCError, path: string) => void;
  /** Why it is not to be read at all. */
  readonly refusal?: AnnalsError | undefined;
}

export type AskRouter = (request: Request, asked: RouterRequest) => Promise<Response>;

/** Answer requests as tRPC does, within the contract's limits and under its statuses. */
export function createAskRouter(): AskRouter {
  const router = createAnnalsRouter();
  return async (request, { call, path, onFailed, refusal }) => {
    // A streamed answer begins before it is known whether anybody will read the body.
    let answeredWhole = false;
    let admitted = false;
    const onAdmitted = () => {
      admitted = true;
    };
    const { req, error: tooLarge } = limited(request);
    // Who is still sending would not see the answer.
    if (refusal && !tooLarge) await discardBody(req);
    const error = tooLarge ?? (refusal ? toTrpcError(refusal) : null);
    const response = await resolveResponse({
      router,
      req,
      error,
      path,
      createContext: async () => ({ annals: { ...call, onAdmitted } }),
      allowMethodOverride: true,
      maxBatchSize: callsMaxOf(path),
      responseMeta: ({ errors, data, eagerGeneration }) => {
        answeredWhole = !eagerGeneration;
        const headers = new Headers(headersOf(errors, call.requestId));
        return { headers, ...(errors.length === data.length && statusOf(errors)) };
      },
      onError: (failure) => onFailed(failure.error, failure.path ?? ''),
    });
    if (answeredWhole && !admitted && !error) await discardBody(req);
    return response;
  };
}

function limited(request: Request): { req: Request; error: TRPCError | null } {
  try {
    return { req: limitBody(request, limits.callBytesMax), error: null };
  } catch (error) {
    return { req: request, error: toTrpcError(error) };
  }
}
