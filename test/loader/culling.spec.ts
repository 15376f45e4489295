import { expect, test } from '@playwright/test';
import {
  type CullableBlob,
  type CullableImage,
  type CullQuery,
  cullLimits,
  planCull,
  planRemoval,
} from '../../src/loader/culling.ts';
import { seededRandom } from '../support/random.ts';

const MiB = 1024 * 1024;
const limits = cullLimits;

function blob(sha256: string, more: Partial<CullableBlob> = {}): CullableBlob {
  return { sha256, bytes: 8 * MiB, pinned: false, private: false, ...more };
}

function image(blobs: readonly string[] | undefined, lastUsed?: number, inUse = false): CullableImage {
  return { id: '', lastUsed, inUse, blobs, isOpen: false, isChanged: false, isSpoilt: false };
}

/** A quota of 1000 MiB with so many free. */
function plan(freeMiB: number, query: Pick<CullQuery, 'images' | 'blobs'>): string[] {
  return planCull({ usage: (1000 - freeMiB) * MiB, quota: 1000 * MiB, limits, ...query });
}

test('nothing goes as long as the cull limit is free; below it, until the run limit is', () => {
  const names = Array.from({ length: 100 }, (_, i) => `b${i}`);
  const query = { images: [image(names, 1)], blobs: names.map((name) => blob(name)) };
  expect(plan(70, query)).toEqual([]);
  // 69 free, 100 wanted: four of 8 MiB. The last of the image first.
  expect(plan(69, query)).toEqual(['b99', 'b98', 'b97', 'b96']);
});

test('blobs of no image first, then the image that was used longest ago; one that it shares with a later one goes with that', () => {
  const names = ['old', 'shared', 'new', 'nobody', 'never'];
  const query = {
    images: [image(['new', 'shared'], 20), image(['old', 'shared'], 10), image(['never'], undefined)],
    blobs: names.map((name) => blob(name)),
  };
  expect(plan(0, query)).toEqual(['nobody', 'never', 'old', 'shared', 'new']);
});

test('what a tab uses, somebody pinned, or has no other copy stays', () => {
  const query = {
    images: [image(['a', 'both'], 5, true), image(['both', 'pinned', 'free'], 1)],
    blobs: [
      blob('a'),
      blob('both'),
      blob('pinned', { pinned: true }),
      blob('own', { private: true }),
      blob('free'),
    ],
  };
  expect(plan(0, query)).toEqual(['free']);
});

test('where an image cannot be read, what belongs to no other may be its own', () => {
  const blobs = [blob('known'), blob('unknown')];
  expect(plan(0, { images: [image(['known'], 1), image(undefined, 2)], blobs })).toEqual(['known']);
});

test('against the rules, one by one: random images, blobs and usage', () => {
  const random = seededRandom(11);
  const below = (n: number): number => Math.floor(random() * n);
  let culled = 0;
  const wrong: string[] = [];
  const rule = (holds: boolean, what: string, round: number): void => {
    if (!holds) wrong.push(`${what} (round ${round})`);
  };
  for (let round = 0; round < 3000; round++) {
    const blobs = Array.from({ length: below(30) }, (_, i) =>
      blob(`b${i}`, {
        bytes: 1 + below(20 * MiB),
        pinned: random() < 0.15,
        private: random() < 0.1,
      }),
    );
    const images = Array.from({ length: below(6) }, () =>
      image(
        random() < 0.05 ? undefined : blobs.filter(() => random() < 0.4).map(({ sha256 }) => sha256),
        random() < 0.1 ? undefined : below(100),
        random() < 0.3,
      ),
    );
    const used = blobs.reduce((sum, { bytes }) => sum + bytes, 0);
    const usage = used + below(50 * MiB);
    const quota = Math.max(usage - below(5 * MiB), 1) + below(60 * MiB);
    const evict = planCull({ usage, quota, limits, images, blobs });
    culled += evict.length;
    const free = quota - usage;
    rule(new Set(evict).size === evict.length, 'each once', round);
    rule(free < limits.cull * quota || evict.length === 0, 'only below the cull limit', round);

    const has = (one: CullableImage, sha256: string): boolean => [...(one.blobs ?? [])].includes(sha256);
    const mayGo = ({ sha256, pinned, private: own }: CullableBlob): boolean =>
      !pinned &&
      !own &&
      !images.some((one) => one.inUse && has(one, sha256)) &&
      (images.some((one) => has(one, sha256)) || images.every((one) => one.blobs !== undefined));
    const byName = new Map(blobs.map((one) => [one.sha256, one]));
    rule(
      evict.every((sha256) => mayGo(byName.get(sha256)!)),
      'only what may go',
      round,
    );

    // No more than is needed, and as much as there is.
    const freed = (names: readonly string[]): number =>
      free + names.reduce((sum, name) => sum + byName.get(name)!.bytes, 0);
    rule(evict.length === 0 || freed(evict.slice(0, -1)) < limits.run * quota, 'no more than needed', round);
    const rest = blobs.filter((one) => mayGo(one) && !evict.includes(one.sha256));
    if (free < limits.cull * quota && rest.length > 0)
      rule(freed(evict) >= limits.run * quota, 'as far as the run limit', round);

    // Nothing goes that was used later than what stays.
    const lastUse = (sha256: string): number =>
      Math.max(-1, ...images.filter((one) => has(one, sha256)).map(({ lastUsed = 0 }) => lastUsed));
    const latest = Math.max(...evict.map(lastUse));
    rule(evict.length === 0 || rest.every(({ sha256 }) => lastUse(sha256) >= latest), 'oldest first', round);
  }
  expect(wrong).toEqual([]);
  expect(culled).toBeGreaterThan(1000);
});

/** What goes of these images, where so much is present, and pinned. */
function removed(
  images: readonly CullableImage[],
  present: readonly string[],
  pinned: readonly string[] = [],
): string[] {
  const isPinned = (sha256: string): boolean => pinned.includes(sha256);
  return planRemoval({ images, present: new Set(present), isPinned });
}

test('an image of which nothing is left is removed; whatever somebody could miss keeps it', () => {
  const old = { ...image(['a', 'b'], 1), id: 'old' };
  expect(removed([old], ['other'])).toEqual(['old']);
  for (const more of [{ inUse: true }, { isOpen: true }, { isChanged: true }])
    expect(removed([{ ...old, ...more }], [])).toEqual([]);
  expect(removed([old], ['b'])).toEqual([]);
  expect(removed([old], [], ['b'])).toEqual([]);
  expect(removed([{ ...old, blobs: [] }], [])).toEqual([]);
});

test('what an image in use has as well does not keep one that lacks the rest', () => {
  const old = { ...image(['a', 'both'], 1), id: 'old' };
  const current = { ...image(['both', 'new'], 2, true), id: 'current' };
  expect(removed([old, current], ['both', 'new'])).toEqual(['old']);
  expect(removed([{ ...old, blobs: ['both'] }, current], ['both', 'new']), 'it is whole').toEqual([]);
  expect(removed([old, { ...current, inUse: false }], ['both', 'new']), 'nobody uses either').toEqual([]);
});

test('of an image that cannot be read, only a spoilt bootstrap is removed', () => {
  const unknown = { ...image(undefined), id: 'unknown' };
  expect(removed([unknown], [])).toEqual([]);
  const spoilt = { ...unknown, isSpoilt: true };
  expect(removed([spoilt], ['may be its own'])).toEqual(['unknown']);
  for (const more of [{ inUse: true }, { isOpen: true }, { isChanged: true }])
    expect(removed([{ ...spoilt, ...more }], [])).toEqual([]);
});
