import { test } from '@playwright/test';
import { makeSite } from '../site-fixture.ts';
import { LINKS, simulate } from './simulation.ts';
import { seededRandom } from '../../support/random.ts';
const KiB = 1024;
const mean = (a: number[]) => a.length? Math.round(a.reduce((x, y) => x + y, 0) / a.length):0;
const p = (a: number[], q: number) => Math.round(a.toSorted((x,y)=>x-y)[Math.floor(a.length*q)] ?? 0);
test('explore3', async () => {
  test.setTimeout(300_000);
  const r0 = seededRandom(5);
  const files = Array.from({ length: 60 }, (_, i) => ({ name: `f${i}`, size: Math.floor((8 + r0()*r0() * 600) * KiB), shift: 16 }));
  const site = await makeSite([...files, { name: 'big', size: 4096 * KiB, shift: 16 }], 4096 * KiB, 1);
  for (const [name, shape] of Object.entries(LINKS)) {
    for (const workers of [1, 3, 8]) {
    const waits: number[] = []; const readys: number[] = []; let reqs = 0; let bytes = 0;
    for (let seed = 1; seed <= 3; seed++)
    await simulate(site, shape, async ({ clock, link, engine, mount, read }) => {
      const random = seededRandom(seed);
      void engine; void mount;
      const order = files.map((f) => ({ f, k: random() })).toSorted((a, b) => a.k - b.k).map(({ f }) => f);
      await Promise.all(Array.from({ length: workers }, async () => {
        for (;;) { const f = order.pop(); if (!f) return; waits.push(await read(f.name)); await clock.sleep(random() * 30); }
      }));
      readys.push(clock.now()); reqs += link.requests.length; bytes += link.requests.reduce((s, r) => s + r.received, 0);
    });
    console.log('S', name, workers, 'ready', mean(readys), 'wait', mean(waits), p(waits, .95), p(waits, .999), 'req', Math.round(reqs / 3), 'KiB', Math.round(bytes/3/1024));
    }
    for (const kind of ['seq', 'seq-slow-app', 'random']) {
      await simulate(site, shape, async ({ clock, link, read }) => {
        const random = seededRandom(3);
        const n = kind === 'random' ? 20 : 64;
        for (let i = 0; i < n; i++) {
          const b = kind === 'random' ? Math.floor(random() * 64) : i;
          await read('big', b * 65536, (b + 1) * 65536);
          await clock.sleep(kind === 'seq-slow-app' ? 60 : 5);
        }
        console.log('S', name, kind, Math.round(clock.now()), 'req', link.requests.length, 'KiB', Math.round(link.requests.reduce((s, r) => s + r.received, 0)/1024));
      });
    }
  }
});
