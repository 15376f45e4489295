import { expose } from 'comlink';
import { systemClock } from '../protocol/clock.ts';
import { carrySluiceErrors } from '../protocol/comlink-errors.ts';
import { pageBeat } from '../protocol/page-beat.ts';
import { openOpfsDirectory } from '../store/opfs-directory.ts';
import { storeFolder } from '../store/store-paths.ts';
import { Loader } from './loader.ts';

/** The loader's dedicated worker: wires the platform to the loader and the loader to its page. */
const loader = new Loader({
  loader: crypto.randomUUID(),
  fetch: (input, init) => fetch(input, init),
  locks: navigator.locks,
  newChannel: (name) => new BroadcastChannel(name),
  openDirectory: async (scope) =>
    openOpfsDirectory(await storeFolder(scope), (reason) =>
      console.info('sluice: blocks are kept in memory:', reason.message),
    ),
  end: (why) => {
    console.info(`sluice: the loader begins anew: ${why}`);
    close();
  },
  estimate: async () => {
    const [{ usage, quota }, persisted] = await Promise.all([
      navigator.storage.estimate(),
      // Only for the eyes of people: what it fails of is no reason not to know the quota.
      navigator.storage.persisted?.().catch(() => undefined),
    ]);
    return usage === undefined || quota === undefined ? undefined : { usage, quota, persisted };
  },
  // Not in every private window, and not on every origin.
  caches: 'caches' in globalThis ? caches : undefined,
  clock: systemClock,
  random: Math.random,
});

addEventListener('message', ({ data }) => {
  if (data === pageBeat) loader.pageBeats();
});
addEventListener('online', () => loader.retryNow());
carrySluiceErrors();
expose(loader);
