import { type ErrorCode, errorStatus } from '@annals/contract';
import type { TRPCError } from '@trpc/server';
import { errorInfoOf } from './error-info.ts';

/** The headers of a request's answer that holds these errors. */
export function headersOf(errors: readonly TRPCError[], requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, ...headersOfCodes(errors.map((error) => errorInfoOf(error).code)) };
}

/** What a caller is told besides, of an answer that holds errors of these codes. */
export function headersOfCodes(codes: readonly ErrorCode[]): Record<string, string> {
  return {
    ...(codes.includes('unauthenticated') && { 'www-authenticate': 'Bearer' }),
    ...(codes.some((code) => code === 'unavailable' || code === 'overloaded') && { 'retry-after': '1' }),
  };
}

/** Of an answer that is errors alone. tRPC's own refusals have statuses of their own; the contract gives each code one. */
export function statusOf(errors: readonly TRPCError[]): { status?: number } {
  const [status, ...others] = new Set(errors.map((error) => errorStatus[errorInfoOf(error).code]));
  return status === undefined || others.length > 0 ? {} : { status };
}
