/**
 * The process that owns the throwaway cluster of a test run. Forked by global-setup.ts; sends the
 * superuser URL when the server answers, and stops and deletes everything when the channel closes.
 */
import { startThrowawayCluster } from './throwaway-cluster.ts';

let parentGone = false;
let stop: (() => Promise<void>) | undefined;

process.on('disconnect', () => {
  parentGone = true;
  void stop?.();
});

const cluster = await startThrowawayCluster();
stop = () => cluster.stop();
if (parentGone) await stop();
else process.send?.(cluster.url);
