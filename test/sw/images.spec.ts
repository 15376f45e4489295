import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { Image } from '../../src/image/image.ts';
import type { ReleaseRecord } from '../../src/protocol/messages.ts';
import { type ImagePlace, Images } from '../../sw/images.ts';
import { type SmallImage, smallImage } from './small-image.ts';

async function image(name: string): Promise<SmallImage & { release: ReleaseRecord }> {
  const small = await smallImage({ [name]: { bytes: new TextEncoder().encode(name) } });
  return { ...small, release: { image: small.image.id, bytes: small.bootstrap.length } };
}

/** A place with these bytes. */
const holding =
  (bytes: (image: string) => Uint8Array<ArrayBuffer> | undefined): ImagePlace =>
  async ({ image }) => {
    const found = bytes(image);
    return found && Image.open(found, { sha256: image });
  };

test('the places are asked in order until one has the bytes; then it is open', async () => {
  const { bootstrap, release } = await image('a');
  const asked: string[] = [];
  const place =
    (name: string, answer: () => Uint8Array<ArrayBuffer> | undefined): ImagePlace =>
    async (release) => {
      asked.push(name);
      return holding(answer)(release);
    };
  const opened: string[] = [];
  const images = new Images(
    [
      place('store', () => undefined),
      place('loader', () => {
        throw new SluiceError('disconnected', 'gone');
      }),
      place('network', () => bootstrap),
      place('beyond', () => bootstrap),
    ],
    ({ id }) => opened.push(id),
  );
  expect(images.peek(release.image)).toBeUndefined();
  const [one, two] = await Promise.all([images.open(release), images.open(release)]);
  expect(one).toBe(two);
  expect(asked).toEqual(['store', 'loader', 'network']);
  expect(images.peek(release.image)).toBe(one);
  expect(await images.open(release)).toBe(one);
  expect(asked.length).toBe(3);
  expect(opened).toEqual([release.image]);
});

test('spoilt bytes in one place are had from the next; a wrong image never opens', async () => {
  const [a, b] = [await image('a'), await image('b')];
  const spoilt = a.bootstrap.slice();
  spoilt[200]! ^= 1;
  const good = new Images([holding(() => spoilt), holding(() => a.bootstrap)], () => {});
  expect((await good.open(a.release)).id).toBe(a.release.image);
  const bad = new Images([holding(() => b.bootstrap)], () => {});
  await expect(bad.open(a.release)).rejects.toMatchObject({ code: 'integrity' });
});

test('a failure is the last place’s, and is not remembered', async () => {
  const { bootstrap, release } = await image('a');
  let online = false;
  const images = new Images(
    [
      async () => undefined,
      holding(() => {
        if (online) return bootstrap;
        throw new SluiceError('offline', 'away');
      }),
    ],
    () => {},
  );
  await expect(images.open(release)).rejects.toMatchObject({ code: 'offline' });
  online = true;
  expect((await images.open(release)).id).toBe(release.image);
});

test('no more than two are open: the one used last stays', async () => {
  const all = [await image('a'), await image('b'), await image('c')];
  const bytes = new Map(all.map(({ release, bootstrap }) => [release.image, bootstrap]));
  const images = new Images([holding((image) => bytes.get(image))], () => {});
  const [a, b, c] = all.map(({ release }) => release);
  await images.open(a!);
  await images.open(b!);
  images.peek(a!.image);
  await images.open(c!);
  expect([a, b, c].map((release) => images.peek(release!.image) !== undefined)).toEqual([true, false, true]);
});
