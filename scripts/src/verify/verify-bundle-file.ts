import {
  type BlockResult,
  type BundleReport,
  type BundleVerification,
  type BundleVerifier,
  createBundleSplitter,
  createBundleVerifier,
  TlogError,
} from '@annals/tlog';
import { UsageError } from '../cli/exit.ts';
import { type BlockPool, createBlockPool } from './block-pool.ts';
import { BrokenGzip } from './open-bundle.ts';

export interface VerifyBundleFile extends BundleVerification {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** 1 checks in this thread alone. */
  readonly threads: number;
  readonly onChecked?: (records: number) => void;
}

/** Bytes of blocks that are being checked or wait for it. */
const bytesInHandMax = 64 * 1024 * 1024;

/**
 * Verify a bundle with nothing but its bytes, on several threads; what it holds does not matter to the memory that
 * it takes, but for the lists of what has gone.
 *
 * Errors  UsageError for a policy, a checkpoint or a receipt that is none.
 */
export async function verifyBundleFile(options: VerifyBundleFile): Promise<BundleReport> {
  const verifier = openVerifier(options);
  await using pool = disposable(createBlockPool(options.threads));
  const splitter = createBundleSplitter();
  const order = createOrder(verifier, options);
  const take = async (split: typeof splitter.end) => {
    for (const part of split()) {
      if (part.kind === 'line') {
        await order.settle();
        verifier.line(part);
      } else if (verifier.check) {
        const bytes = part.bytes.length;
        await order.add(pool.check(part, verifier.check), bytes);
      } else verifier.fail('the first line must be that of the bundle');
    }
  };
  try {
    for await (const chunk of options.chunks) {
      await take(() => splitter.push(chunk));
      if (verifier.stopped) break;
    }
    await take(() => splitter.end());
    await order.settle();
  } catch (error) {
    if (!(error instanceof TlogError || error instanceof BrokenGzip)) throw error;
    await order.settle();
    verifier.fail(error.message);
  }
  return verifier.finish();
}

function openVerifier(options: VerifyBundleFile): BundleVerifier {
  try {
    return createBundleVerifier(options);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new UsageError(`--policy: ${error.message}`, { cause: error });
  }
}

/** Threads answer out of order; the verifier wants results as the file has them. */
function createOrder(verifier: BundleVerifier, { threads, onChecked }: VerifyBundleFile) {
  const waiting: { readonly result: Promise<BlockResult>; readonly bytes: number }[] = [];
  let bytesInHand = 0;
  let records = 0;
  const isFull = () => waiting.length > threads * 4 || (bytesInHand > bytesInHandMax && waiting.length > 1);
  const next = async () => {
    const first = waiting.shift();
    if (!first) return;
    const result = await first.result;
    bytesInHand -= first.bytes;
    verifier.block(result);
    records += result.places.length;
    onChecked?.(records);
  };
  return {
    add: async (result: Promise<BlockResult>, bytes: number) => {
      // Looked at when its turn comes, which may be after it has failed.
      result.catch(() => undefined);
      waiting.push({ result, bytes });
      bytesInHand += bytes;
      while (isFull()) await next();
    },
    settle: async () => {
      while (waiting.length > 0) await next();
    },
  };
}

function disposable(pool: BlockPool): BlockPool & AsyncDisposable {
  return { ...pool, [Symbol.asyncDispose]: () => pool.close() };
}
