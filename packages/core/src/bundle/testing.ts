import { type BundleReport, type BundleVerification, verifyAuditBundle } from '@annals/tlog';
import type { Context } from '../context.ts';
import { type SignedCheckpoint, signCommitted, type TestCore } from '../testing.ts';
import { exportBundle } from './export-bundle.ts';

/** For tests: sequence and sign all that the tenant has. */
export function signLogOf(
  core: Pick<TestCore, 'services'>,
  { tenantId }: Context,
): Promise<SignedCheckpoint> {
  return signCommitted(core, tenantId);
}

/** For tests: the bundle of the tenant, as text. */
export async function bundleText(ctx: Context, waitMsMax = 0): Promise<string> {
  const parts: string[] = [];
  await exportBundle({ ctx, input: { write: async (text) => void parts.push(text), waitMsMax } });
  return parts.join('');
}

/** For tests: what verification says of a bundle. */
export function verifyText(text: string, options: BundleVerification): Promise<BundleReport> {
  return verifyAuditBundle([new TextEncoder().encode(text)], options);
}
