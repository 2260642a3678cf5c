import { parentPort } from 'node:worker_threads';
import { type BlockCheck, checkBlock } from '@annals/tlog';

/** What a thread is sent: a block, and what it is checked by. It answers with the block's result, in order. */
export interface BlockTask {
  readonly line: number;
  readonly bytes: Uint8Array;
  readonly check: BlockCheck;
}

parentPort?.on('message', ({ line, bytes, check }: BlockTask) => {
  parentPort?.postMessage(checkBlock({ line, bytes }, check), []);
});
