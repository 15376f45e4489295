import { findFirefox } from '../../../scripts/find-browsers.mjs';
import { blockStoreContract } from '../../contracts/block-store.ts';
import { directoryContract } from '../../contracts/directory.ts';
import { largeFileContract, runtimeFilesContract } from '../../contracts/runtime-files.ts';
import { test } from '../../support/browser.ts';
import { BrowserProfile } from '../../support/browser-profile.ts';
import type { Origin } from '../../support/origin.ts';
import { startStoreOrigin, WorkerCaller } from './store-page.ts';

/** The contracts over the real OPFS, in a dedicated worker. One browser for all; each case has a folder of its own. */
let origin: Origin;
let profile: BrowserProfile;
let worker: WorkerCaller;

test.beforeAll(async ({ engine }) => {
  test.skip(engine === 'firefox' && !findFirefox(), 'there is no Firefox on this machine');
  origin = await startStoreOrigin();
  profile = await BrowserProfile.create(engine);
  const page = await (await profile.launch()).newPage();
  await page.goto(`${origin.url}/`);
  worker = await WorkerCaller.worker(page);
});

test.afterAll(async () => {
  await profile.remove();
  await origin.stop();
});

/** STORE.md, 6, says why nothing depends on it. */
const LIVE_FILES = 'a File of OPFS shows what the file of its name holds when it is read';

const contracts = {
  Directory: directoryContract,
  BlockStore: blockStoreContract,
  RuntimeFiles: [...runtimeFilesContract, ...largeFileContract],
};
let folder = 0;

for (const [subject, cases] of Object.entries(contracts)) {
  for (const { name } of cases) {
    test(`${subject} over OPFS: ${name}`, async ({ engine }) => {
      test.skip(engine === 'firefox' && name === 'a snapshot never shows bytes of later', LIVE_FILES);
      folder += 1;
      await worker.call('contract', subject, name, `contract/${folder}`);
    });
  }
}
