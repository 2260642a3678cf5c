import { Worker } from 'node:worker_threads';
import { type BlockCheck, type BlockResult, checkBlock } from '@annals/tlog';
import type { BlockTask } from './block-worker.ts';

export interface Block {
  readonly line: number;
  readonly bytes: Uint8Array;
}

/** Checks blocks, on other threads where there are many. */
export interface BlockPool {
  /** Takes the block's bytes: they are gone afterwards. */
  check(block: Block, by: BlockCheck): Promise<BlockResult>;
  close(): Promise<void>;
}

/** Starting threads takes longer than checking so many blocks. */
const blocksAlone = 4;

/** One thread checks in this one; more are started once the bundle is long enough to be worth it. */
export function createBlockPool(threads: number): BlockPool {
  const started: Thread[] = [];
  let blocks = 0;
  return {
    check: async (block, by) => {
      blocks += 1;
      if (threads === 1 || blocks <= blocksAlone) return checkBlock(block, by);
      if (started.length === 0) started.push(...Array.from({ length: threads }, startThread));
      const idlest = started.reduce((least, thread) => (thread.waiting() < least.waiting() ? thread : least));
      return idlest.run({ ...block, check: by });
    },
    close: async () => {
      await Promise.all(started.map((thread) => thread.end()));
    },
  };
}

interface Thread {
  waiting(): number;
  run(task: BlockTask): Promise<BlockResult>;
  end(): Promise<unknown>;
}

function startThread(): Thread {
  // From its sources, a program runs with this condition; a thread does not inherit what a test runner set.
  const fromSource = import.meta.url.endsWith('.ts');
  const worker = new Worker(new URL(`./block-worker.${fromSource ? 'ts' : 'js'}`, import.meta.url), {
    ...(fromSource && { execArgv: ['--conditions=@annals/source'] }),
  });
  const waiting: PromiseWithResolvers<BlockResult>[] = [];
  worker.on('message', (result: BlockResult) => waiting.shift()?.resolve(result));
  const fail = (error: Error) => {
    for (const each of waiting.splice(0)) each.reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', (code) => fail(new Error(`a thread ended with code ${code}`)));
  return {
    waiting: () => waiting.length,
    run: (task) => {
      const answer = Promise.withResolvers<BlockResult>();
      waiting.push(answer);
      worker.postMessage(task, [task.bytes.buffer as ArrayBuffer]);
      return answer.promise;
    },
    end: () => worker.terminate(),
  };
}
