import {
  type ErrorInfo,
  errorStatus,
  type ProcedureInput,
  type ProcedureName,
  procedures,
} from '@annals/contract';
import { type Context, type Principal, requireScope, resolveTenant } from '@annals/core';
import { initTRPC, type TRPCError, type TRPCProcedureBuilder, type TRPCUnsetMarker } from '@trpc/server';
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import type { z } from 'zod';
import type { AnnalsCall } from './call.ts';
import { decodeInput } from './decode-input.ts';
import { encodeOutput } from './encode-output.ts';
import { errorInfoOf, toTrpcError } from './error-info.ts';
import { requestIdOfError } from './request-id-of-error.ts';

/** What a host puts into its tRPC context for our procedures. */
export interface AnnalsContext {
  readonly annals: AnnalsCall;
}

const t = initTRPC.context<AnnalsContext>().create({
  transformer: {
    input: { serialize: encodeOutput, deserialize: decodeInput },
    output: { serialize: encodeOutput, deserialize: decodeInput },
  },
  // A stack trace never leaves the process, in development neither.
  isDev: false,
  errorFormatter: errorShape,
  sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 45_000 } },
});

export const { router, createCallerFactory } = t;

/** An error as it travels: tRPC's shape, with the contract's error as `data.annals`. */
export function errorShape({
  error,
  path,
}: {
  readonly error: TRPCError;
  readonly path?: string | undefined;
}) {
  const annals: ErrorInfo = { ...errorInfoOf(error), ...requestIdOfError(error) };
  const { code } = toTrpcError(error);
  const data = { code, httpStatus: errorStatus[annals.code], ...(path !== undefined && { path }), annals };
  return { message: annals.message, code: TRPC_ERROR_CODES_BY_KEY[code], data };
}

/** The schema of one procedure's input, by which tRPC types its resolver and its callers. */
type InputSchema<Name extends ProcedureName> = z.ZodType<ParsedInput<Name>, ProcedureInput<Name>>;
type ParsedInput<Name extends ProcedureName> = z.output<(typeof procedures)[Name]['input']>;

/** Written out, since the type that TypeScript infers names what the contract does not export. */
type Builder<Name extends ProcedureName> = TRPCProcedureBuilder<
  AnnalsContext,
  object,
  Context,
  ProcedureInput<Name>,
  ParsedInput<Name>,
  TRPCUnsetMarker,
  TRPCUnsetMarker,
  false
>;

/**
 * The builder of a procedure of the contract's table: who calls and may they, then the input's schema, then
 * the tenant that the call is about. A resolver gets the `Context` that the verbs of the domain take, and
 * whatever it throws leaves through the one mapping.
 */
export function procedure<Name extends ProcedureName>(name: Name): Builder<Name> {
  const { scopes, input: schema } = procedures[name];
  // Who may not call learns nothing of what the input lacks, and costs no parsing of it.
  const admitted = t.procedure.use(async ({ ctx, next }) => {
    try {
      const principal = await ctx.annals.authenticate();
      requireScope(principal, scopes);
      ctx.annals.onAdmitted?.();
      const result = await next({ ctx: { principal } });
      return result.ok ? result : { ...result, error: toTrpcError(result.error) };
    } catch (error) {
      throw toTrpcError(error);
    }
  });
  const bound = admitted
    .input(schema as unknown as InputSchema<Name>)
    .use(async ({ ctx, input, signal, next }) => {
      const context = await contextOf(ctx, { tenantId: tenantIdOf(input), write: isWrite(name), signal });
      return next({ ctx: context });
    });
  return bound;
}

export interface Target {
  readonly tenantId: string | undefined;
  readonly write: boolean;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal | undefined;
}

/** What the verbs of the domain work with, for a caller that was let in. Errors: those of `resolveTenant`. */
export async function contextOf(
  { annals, principal }: AnnalsContext & { principal: Principal },
  { tenantId, write, signal }: Target,
): Promise<Context> {
  const { services, requestId } = annals;
  const resolved = await resolveTenant(services, principal, { tenantId, write });
  return { ...services, principal, tenantId: resolved, requestId, signal };
}

// By the schema's own word: it names the tenant, or the call is about the caller's.
function tenantIdOf(input: unknown): string | undefined {
  return (input as { readonly tenantId?: string }).tenantId;
}

// Keys and tenants belong to the deployment as well, so there its own key may leave the tenant out.
function isWrite(name: ProcedureName): boolean {
  return procedures[name].type === 'mutation' && !/^(?:key|tenant)\./.test(name);
}
