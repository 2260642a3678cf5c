import { TlogError } from '../tlog-error.ts';
import { type BundleVerification, createBundleVerifier } from './bundle-verifier.ts';
import { checkBlock } from './check-block.ts';
import type { BundleReport } from './report.ts';
import { type BundlePart, createBundleSplitter } from './split-bundle.ts';

/**
 * Verify a bundle in this thread, as its bytes come.
 *
 * Errors  of `createBundleVerifier`, and whatever `chunks` throws. What a bundle does wrong is a finding.
 */
export async function verifyAuditBundle(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: BundleVerification,
): Promise<BundleReport> {
  const verifier = createBundleVerifier(options);
  const splitter = createBundleSplitter();
  const take = (split: () => BundlePart[]) => {
    try {
      for (const part of split()) {
        if (part.kind === 'line') verifier.line(part);
        else if (verifier.check) verifier.block(checkBlock(part, verifier.check));
        else verifier.fail('the first line must be that of the bundle');
      }
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      verifier.fail(error.message);
    }
  };
  for await (const chunk of chunks) {
    take(() => splitter.push(chunk));
    if (verifier.stopped) return verifier.finish();
  }
  take(() => splitter.end());
  return verifier.finish();
}
