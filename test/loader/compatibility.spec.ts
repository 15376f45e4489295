import { randomUUID } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { Loader } from '../../src/loader/loader.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { writeGoldenSite } from '../golden/golden.ts';
import { Origin } from '../support/origin.ts';
import { seededRandom } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';
import { LockManagerForTests } from './lock-manager.ts';

/** If this fails, images that people have published do not open any more: think before you touch the golden bytes. */
test('compatibility: an image of version 1, as it was published, mounts, reads, and completes', async () => {
  const dir = await tempDir('golden');
  const release = await writeGoldenSite(dir.path);
  const origin = await Origin.start({ mounts: { '/app/': dir.path } });
  const name = randomUUID();
  const loader = new Loader({
    loader: name,
    fetch,
    locks: new LockManagerForTests().of(name),
    estimate: async () => undefined,
    newChannel: (channel) => new BroadcastChannel(channel),
    openDirectory: async () => new MemoryDirectory(),
    end: () => {},
    clock: systemClock,
    random: seededRandom(1),
  });
  try {
    const started = await loader.start({ scope: `${origin.url}/app/` });
    expect(started.image).toBe(release.image);
    const text = async (path: string): Promise<string> =>
      new TextDecoder().decode(await loader.read(path, 0, 1000, 20_000));
    expect(await text('index.html')).toBe('<!doctype html><title>tiny</title>');
    expect(await text('a.js')).toBe('console.log("tiny")');
    const data = new Uint8Array(5000).map((_, i) => i * 7);
    expect(await loader.read('größe/data.bin', 0, 1e9, 20_000)).toEqual(data);
    expect(await loader.read('nothing', 0, 1e9, 20_000)).toEqual(new Uint8Array(0));
    expect(await loader.readdir('größe')).toEqual([
      { name: 'data.bin', kind: 'file' },
      { name: 'empty', kind: 'directory' },
    ]);
    expect((await loader.stat('größe/data.bin')).meta).toEqual(Uint8Array.of(0, 255, 10));
    await loader.whenComplete();
    expect((await loader.state()).complete).toBe(true);
  } finally {
    await loader.close();
    await origin.stop();
    await dir.remove();
  }
});
