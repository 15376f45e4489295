import { test } from '@playwright/test';
import { seededRandom } from '../../support/random.ts';
import { makeSite } from '../site-fixture.ts';
import { LINKS, simulate } from './simulation.ts';

const KiB = 1024;
test('explore2', async () => {
  test.setTimeout(300_000);
  const site = await makeSite(
    [
      { name: 'a', size: 40 * 64 * KiB, shift: 16 },
      { name: 'b', size: 9000 * KiB, shift: 16 },
    ],
    4096 * KiB,
    1,
    1,
  );
  for (const [name, shape] of Object.entries(LINKS)) {
    for (const stale of [0, 0.15, 0.4]) {
      const readys: number[] = [];
      const far: number[] = [];
      const near: number[] = [];
      let reqs = 0;
      let waste = 0;
      for (let seed = 1; seed <= 4; seed++)
        await simulate(site, shape, async ({ clock, link, engine, mount, read }) => {
          const random = seededRandom(seed);
          engine.complete(mount);
          await clock.sleep(200);
          for (let i = 0; i < 40; i++) {
            if (random() < stale) {
              const b = Math.floor(random() * 130);
              far.push(await read('b', b * 65536, b * 65536 + 10));
            }
            if (random() < stale) {
              const b = Math.floor(random() * 40);
              near.push(await read('a', b * 65536, b * 65536 + 10));
            }
            near.push(await read('a', i * 65536, i * 65536 + 10));
            await clock.sleep(15);
          }
          readys.push(clock.now());
          reqs += link.requests.length;
          waste += link.abandonedBytes;
        });
      const mean = (a: number[]) => (a.length ? Math.round(a.reduce((x, y) => x + y, 0) / a.length) : 0);
      const p = (a: number[], q: number) =>
        Math.round(a.toSorted((x, y) => x - y)[Math.floor(a.length * q)] ?? 0);
      console.log(
        process.env.LMS,
        process.env.ABORT ?? '',
        name,
        'stale',
        stale,
        'ready',
        mean(readys),
        'far',
        mean(far),
        p(far, 0.9),
        'near max',
        p(near, 0.999),
        'req',
        reqs / 4,
        'waste',
        waste / 4,
      );
    }
  }
});
