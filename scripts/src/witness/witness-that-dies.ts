import { createTestLog, listen } from './testing.ts';
import { openWitnessKey } from './witness-key.ts';
import { createWitnessServer } from './witness-server.ts';
import { openWitnessStore, type WitnessStore } from './witness-store.ts';

// For a test, as a process of its own: a witness that is killed at its first cosignature, before or after the
// checkpoint was persisted, and never answers.
const [dir = '', moment = '', origin = ''] = process.argv.slice(2);
const store = openWitnessStore(dir);
const die = () => process.kill(process.pid, 'SIGKILL');
const deadly: WitnessStore = {
  read: (logId) => store.read(logId),
  advance: async (logId, next) => {
    if (moment === 'before') die();
    const advanced = await store.advance(logId, next);
    die();
    return advanced;
  },
};
const server = createWitnessServer({
  key: await openWitnessKey(dir),
  logs: [{ key: createTestLog(origin).key }],
  store: deadly,
  evidenceFolder: dir,
  now: () => new Date(),
  tell: () => undefined,
});
process.stdout.write(`${await listen(server)}\n`);
