import { AnnalsError, type ErrorCode, type ErrorInfo, errorStatus } from '@annals/contract';
import { firstProblem } from '@annals/core';
import { TRPCError } from '@trpc/server';
import { z } from 'zod';

/** tRPC's code of the same HTTP status. */
const trpcCodes = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'PAYLOAD_TOO_LARGE',
  429: 'TOO_MANY_REQUESTS',
  500: 'INTERNAL_SERVER_ERROR',
  503: 'SERVICE_UNAVAILABLE',
  504: 'GATEWAY_TIMEOUT',
} as const satisfies Record<(typeof errorStatus)[ErrorCode], TRPCError['code']>;

/**
 * What a caller may know of a failure: the one mapping of everything thrown to the contract's codes.
 *
 * Errors of the domain pass as they are. Refusals of an input become `invalid_input` with their path and
 * limit. Whatever else it was, the caller reads a generic text; the request id finds the rest in the log.
 */
export function errorInfoOf(error: unknown): ErrorInfo {
  const known = findAnnalsError(error);
  if (known) return infoOf(known);
  if (!(error instanceof TRPCError)) return internal;
  switch (error.code) {
    case 'BAD_REQUEST':
    case 'PARSE_ERROR':
      return inputProblem(error);
    case 'METHOD_NOT_SUPPORTED':
      return { code: 'invalid_input', message: 'the procedure must be called by POST' };
    case 'UNSUPPORTED_MEDIA_TYPE':
      return { code: 'invalid_input', message: 'the content type must be application/json' };
    case 'NOT_FOUND':
      return { code: 'not_found', message: 'no such procedure' };
    default:
      return error.cause?.name === 'AbortError'
        ? { code: 'timeout', message: 'the caller went away' }
        : internal;
  }
}

/** The error that tRPC answers with, under the status that the contract gives the code. */
export function toTrpcError(error: unknown): TRPCError {
  const { code, message } = errorInfoOf(error);
  const cause = error instanceof TRPCError ? (error.cause ?? error) : error;
  return new TRPCError({ code: trpcCodes[errorStatus[code]], message, cause });
}

const internal: ErrorInfo = {
  code: 'internal',
  message: 'Annals failed; the request id finds it in the log',
};

function infoOf({ code, message, path, limit, position }: AnnalsError): ErrorInfo {
  return {
    code,
    message,
    ...(path !== undefined && { path }),
    ...(limit !== undefined && { limit }),
    ...(position !== undefined && { position }),
  };
}

function findAnnalsError(error: unknown): AnnalsError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof AnnalsError) return cause;
  }
  return undefined;
}

// Refusals of tRPC itself are worded by it; what it took from elsewhere can quote the input.
function inputProblem({ cause, message }: TRPCError): ErrorInfo {
  if (cause instanceof z.core.$ZodError) {
    return { code: 'invalid_input', ...firstProblem(cause.issues, '') };
  }
  const told = cause === undefined ? message : 'the input must be JSON';
  return { code: 'invalid_input', message: told };
}
