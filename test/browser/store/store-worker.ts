import { BlockStore } from '../../../src/store/block-store.ts';
import type { Directory } from '../../../src/store/directory.ts';
import { openOpfsDirectory } from '../../../src/store/opfs-directory.ts';
import { blobFile } from '../../contracts/blob-file.ts';
import { blockStoreContract } from '../../contracts/block-store.ts';
import { directoryContract } from '../../contracts/directory.ts';
import { blockOf, type PublishedBlob, publishedBlob, tableOf } from '../../contracts/published.ts';
import { largeFileContract, runtimeFilesContract } from '../../contracts/runtime-files.ts';
import { seededRandom } from '../../support/random.ts';
import { serve } from './calls.ts';

const contracts = {
  Directory: directoryContract,
  BlockStore: blockStoreContract,
  RuntimeFiles: [...runtimeFilesContract, ...largeFileContract],
};

async function opfs(folder: string): Promise<Directory> {
  const directory = await openOpfsDirectory(folder);
  if (directory === undefined) throw new Error('no OPFS');
  return directory;
}

/** The blobs of the kill test: the same in every worker. */
function killBlobs(): Promise<PublishedBlob[]> {
  return Promise.all(Array.from({ length: 4 }, (_, i) => publishedBlob(900 + i, 300, 8000)));
}

const minCompaction = 2000;

function present(store: BlockStore, blobs: readonly PublishedBlob[]): string[] {
  return blobs.flatMap((blob, i) => {
    const presence = store.blob(blob.description);
    return [...blob.blocks.keys()].filter((block) => presence.has(block)).map((block) => `${i}:${block}`);
  });
}

/** The store that `holdOpen` opened, with the blob that it began. */
let held: { store: BlockStore; blob: PublishedBlob } | undefined;

serve({
  async contract(subject: keyof typeof contracts, name: string, folder: string): Promise<void> {
    const found = contracts[subject].find((each) => each.name === name);
    if (found === undefined) throw new Error(`no case ${name}`);
    await found.run(await opfs(folder));
  },

  /** Writes blocks in random order and commits now and then; tells the page's BroadcastChannel what is committed. */
  async writeUntilKilled(folder: string, seed: number): Promise<void> {
    const channel = new BroadcastChannel('committed');
    const blobs = await killBlobs();
    const store = await BlockStore.open(await opfs(folder), { minCompaction, maxOpenFiles: 2 });
    for (const blob of blobs) store.blob(blob.description);
    const random = seededRandom(seed);
    for (;;) {
      const i = Math.floor(random() * blobs.length);
      const blob = blobs[i]!;
      const block = Math.floor(random() * blob.blocks.length);
      const { sha256 } = blob.description;
      if (random() < 0.01) await store.writeTable(sha256, tableOf(blob));
      await store.writeBlock(sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
      if (random() < 0.2) {
        await store.commit();
        channel.postMessage(present(store, blobs));
      }
    }
  },

  /** Mounts, checks every present block, and answers which there are. */
  async verify(folder: string): Promise<{ present: string[]; wrong: string[]; mountMs: number }> {
    const blobs = await killBlobs();
    const directory = await opfs(folder);
    const before = performance.now();
    const store = await BlockStore.open(directory, { minCompaction });
    const mountMs = performance.now() - before;
    const all = present(store, blobs);
    const wrong: string[] = [];
    for (const name of all) {
      const [i, block] = name.split(':').map(Number) as [number, number];
      const { start, end } = blobs[i]!.blocks[block]!;
      const bytes = await store.readBlock(blobs[i]!.description.sha256, block, start, end - start);
      if (String(bytes) !== String(blockOf(blobs[i]!, block))) wrong.push(name);
    }
    await store.close();
    return { present: all, wrong, mountMs };
  },

  /** Completes all blobs; answers how many are sealed and are the published bytes. */
  async complete(folder: string): Promise<number> {
    const blobs = await killBlobs();
    const directory = await opfs(folder);
    const store = await BlockStore.open(directory);
    for (const blob of blobs) {
      const { sha256 } = blob.description;
      store.blob(blob.description);
      await store.writeTable(sha256, tableOf(blob));
      for (const [block, { start }] of blob.blocks.entries()) {
        await store.writeBlock(sha256, block, start, blockOf(blob, block));
      }
    }
    await store.commit();
    let right = 0;
    for (const blob of blobs) {
      const file = await directory.snapshot(await blobFile(directory, blob.description.sha256));
      const bytes = new Uint8Array(await file!.arrayBuffer());
      const identical =
        bytes.length === blob.bytes.length && bytes.every((byte, at) => byte === blob.bytes[at]);
      if (identical && store.blob(blob.description).sealed) right += 1;
    }
    await store.close();
    return right;
  },

  /** Half of a blob is committed, and everything stays open. Answers where its first block lies. */
  async holdOpen(folder: string): Promise<{ sha256: string; start: number; end: number; bytes: number[] }> {
    const blob = await publishedBlob(950, 20, 500);
    const { sha256 } = blob.description;
    const store = await BlockStore.open(await opfs(folder));
    store.blob(blob.description);
    await store.writeTable(sha256, tableOf(blob));
    for (let block = 0; block < 10; block++) {
      await store.writeBlock(sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
    }
    await store.commit();
    held = { store, blob };
    return { sha256, ...blob.blocks[0]!, bytes: [...blockOf(blob, 0)] };
  },

  async finish(): Promise<void> {
    const { store, blob } = held!;
    for (let block = 10; block < 20; block++) {
      await store.writeBlock(blob.description.sha256, block, blob.blocks[block]!.start, blockOf(blob, block));
    }
    await store.commit();
  },

  /** Writes and commits until something fails; answers the code of that, and what was committed before. */
  async fill(folder: string): Promise<{ code: unknown; committed: string[] }> {
    const blobs = await killBlobs();
    const store = await BlockStore.open(await opfs(folder), { minCompaction });
    let committed: string[] = [];
    let code: unknown = 'no error';
    try {
      for (const blob of blobs) {
        store.blob(blob.description);
        for (const [block, { start }] of blob.blocks.entries()) {
          await store.writeBlock(blob.description.sha256, block, start, blockOf(blob, block));
          if (block % 10 !== 9) continue;
          await store.commit();
          committed = present(store, blobs);
        }
      }
    } catch (error) {
      code = (error as { code?: unknown }).code ?? String(error);
    }
    await store.close().catch(() => undefined); // The quota is still exhausted.
    return { code, committed };
  },

  /** The code of the reason why there is no OPFS. */
  async unavailable(): Promise<unknown> {
    let code: unknown = 'available';
    await openOpfsDirectory('x', (reason) => {
      code = reason.code;
    });
    return code;
  },
});
