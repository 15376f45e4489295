import { rm } from 'node:fs/promises';
import { expect, test } from '@playwright/test';
import { NodeDirectory } from '../contracts/node-directory.ts';
import { Origin } from '../support/origin.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startLeader } from './leader.ts';
import { makeSite } from './site-fixture.ts';

test('a store that is taken away: its leader finds out by itself when somebody asks for something, once', async () => {
  const site = await makeSite([{ name: 'index.html', size: 3000, shift: 14 }], 128 * 1024);
  const dir = await tempDir('watch');
  const published = await tempDir('watch-site');
  await site.write(published.path);
  const origin = await Origin.start({ mounts: { '/': published.path } });
  let lost = 0;
  const service = await startLeader({
    directory: new NodeDirectory(dir.path),
    scope: `${origin.url}/`,
    onStore: (what) => {
      expect(what).toBe('lost');
      lost += 1;
    },
  });
  try {
    const release = { image: site.image, bytes: site.bootstrap.length };
    await service.open({ loader: 'tab', release, background: true });
    const read = () => service.read(site.image, 'index.html', 0, 3000, 10_000, new AbortController().signal);
    expect((await read()).length).toBe(3000);
    await rm(dir.path, { recursive: true });
    await expect
      .poll(async () => {
        expect((await read()).length).toBe(3000);
        return lost;
      })
      .toBe(1);
    await service.state(site.image);
    expect(lost).toBe(1);
  } finally {
    await service.close();
    await origin.stop();
    await Promise.all([dir.remove(), published.remove()]);
  }
});
