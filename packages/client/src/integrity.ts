import type { Activity, ProcedureInput, ProcedureName, ProcedureOutput } from '@annals/contract';
import type { Annals } from './annals.ts';
import type { CallOptions } from './options.ts';
import type { VerifyOptions, VerifyReport } from './verify.ts';

/** A call about a tenant. */
export type Call = <Name extends ProcedureName>(
  name: Name,
  input: ProcedureInput<Name>,
  options: CallOptions | undefined,
) => Promise<ProcedureOutput<Name>>;

export function integrityOf(call: Call): Pick<Annals, 'verify' | 'integrity'> {
  return {
    verify: (activity, options) => verify(call, activity, options),
    integrity: {
      checkpoint: ({ epoch, size, ...options } = {}) =>
        call('integrity.checkpoint', { ...defined('epoch', epoch), ...defined('size', size) }, options),
      proof: (id, options) => call('integrity.proof', { id }, options),
      consistency: (input, options) => call('integrity.consistency', input, options),
      tile: async (path, { epoch, ...options } = {}) =>
        (await call('integrity.tile', { path, ...defined('epoch', epoch) }, options)).bytes,
    },
  };
}

async function verify(
  call: Call,
  activity: Activity | string,
  options: VerifyOptions,
): Promise<VerifyReport> {
  // Most programs never verify, and should not load what does.
  const { verifyActivity } = await import('./verify-activity.ts');
  return verifyActivity({ ...options, activity, ask: (name, input) => call(name, input, options) });
}

function defined<Name extends string>(name: Name, value: number | undefined): { [Key in Name]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]: number });
}
