import { test } from '@playwright/test';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { blockStoreContract } from '../contracts/block-store.ts';
import { directoryContract } from '../contracts/directory.ts';
import { NodeDirectory } from '../contracts/node-directory.ts';
import { runtimeFilesContract } from '../contracts/runtime-files.ts';
import { tempDir } from '../support/temp-dir.ts';

const contracts = {
  Directory: directoryContract,
  BlockStore: blockStoreContract,
  RuntimeFiles: runtimeFilesContract,
};

for (const [subject, cases] of Object.entries(contracts)) {
  for (const { name, run } of cases) {
    test(`${subject} over memory: ${name}`, () => run(new MemoryDirectory()));

    test(`${subject} over Node files: ${name}`, async () => {
      const { path, remove } = await tempDir('store');
      try {
        await run(new NodeDirectory(path));
      } finally {
        await remove();
      }
    });
  }
}
