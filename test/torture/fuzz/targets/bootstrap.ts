import { crc32 } from '../../../../src/format/crc32.ts';
import { encodeBootstrap } from '../../../../src/image/encode-bootstrap.ts';
import { Image } from '../../../../src/image/image.ts';
import { addIsolation, validatorHeaders } from '../../../../sw/headers.ts';
import { deflate, tinyImage } from '../../../image/tiny-image.ts';
import { useTree } from '../../../image/use-tree.ts';
import { fuzzTarget, outcomeOf, refusal, shown } from '../fuzz-target.ts';
import { joined } from '../mutator.ts';

interface Bootstrap {
  readonly superblock: Uint8Array<ArrayBuffer>;
  /** Inflated. */
  readonly body: Uint8Array<ArrayBuffer>;
}

const paths = ['', 'index.html', 'größe/data.bin', 'größe/', 'zzz', 'a.js/b'];

/** The file as published, its checksum right; the SHA-256 is taken from what is opened. */
function published({ superblock, body }: Bootstrap): Uint8Array<ArrayBuffer> {
  const isDeflated = (superblock[20]! & 1) !== 0;
  const stored = isDeflated ? deflate(body) : body;
  const bytes = joined(superblock, stored);
  const view = new DataView(bytes.buffer);
  // The lengths are mostly right, or nothing behind their check would be tried.
  if (view.getUint32(24, true) !== 2 ** 32 - 1) view.setUint32(24, stored.length, true);
  if (view.getUint32(28, true) < 2 ** 24) view.setUint32(28, body.length, true);
  view.setUint32(124, crc32(bytes.subarray(0, 124)), true);
  return bytes;
}

/** Superblock, tables, names and strings of an image: opened, walked, looked up, mapped, and its headers made. */
export const bootstrap = fuzzTarget<Bootstrap>({
  name: 'bootstrap',
  maxArrayBytes: 4 * 1024 * 1024,
  async seeds() {
    const { model } = await tinyImage();
    const deep = {
      ...model,
      root: [{ kind: 'directory' as const, name: 'd', entries: model.root }, ...model.root],
    };
    return [model, deep].flatMap((of) => {
      const bytes = encodeBootstrap(of, (body) => body);
      const [superblock, body] = [bytes.slice(0, 128), bytes.slice(128)];
      const deflated = superblock.slice();
      deflated[20]! |= 1;
      // To deflate takes most of the time.
      return [...Array.from({ length: 7 }, () => ({ superblock, body })), { superblock: deflated, body }];
    });
  },
  mutate({ superblock, body }, mutator) {
    const inSuperblock = mutator.random() < 0.4;
    const damaged = mutator.bytes(inSuperblock ? superblock : body);
    if (!inSuperblock) return { superblock, body: damaged };
    return { superblock: joined(damaged, new Uint8Array(128)).slice(0, 128), body };
  },
  async run(input) {
    try {
      const image = await Image.open(published(input));
      const headers = outcomeOf(() => {
        for (let n = 0; n < Math.min(image.inodeCount, 50); n++) {
          addIsolation(validatorHeaders(image.inode(n), '"x"', image.crossOriginIsolate));
          new Headers([['Content-Type', image.inode(n).mime ?? '']]);
        }
        return 'headers';
      });
      return `${useTree(image, paths)} errors, ${headers}`;
    } catch (error) {
      return refusal(error);
    }
  },
  show: (input) => shown(published(input)),
});
