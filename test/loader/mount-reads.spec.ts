import { expect, test } from '@playwright/test';
import { Image } from '../../src/image/image.ts';
import { MountedTree } from '../../src/image/mounted-tree.ts';
import type { BlobState } from '../../src/loader/blob-state.ts';
import { Mount } from '../../src/loader/mount.ts';
import { Overlay } from '../../src/overlay/overlay.ts';
import { tinyImage } from '../image/tiny-image.ts';

test('read_log: what a service worker has read before the image was mounted was then, and not when it was told', async () => {
  const tree = new MountedTree(await Image.open((await tinyImage()).bootstrap), new Overlay());
  const mount = new Mount({
    tree,
    blobState: ({ blockCount }) => ({ blockCount }) as BlobState,
    isKnown: () => false,
  });
  const at = mount.since - 700;
  const read = { path: 'data.bin', blob: 0, first: 1, count: 2, at, waitedMs: 400 };
  mount.served('one life', [{ serial: 1, ...read }]);
  expect(mount.log.entries()).toEqual([
    { path: 'data.bin', blob: 0, block: 1, atMs: -700, waitedMs: 400 },
    { path: 'data.bin', blob: 0, block: 2, atMs: -700, waitedMs: 400 },
  ]);
});
