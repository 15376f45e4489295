import type { Page } from '@playwright/test';
import { expect, test } from '../../support/browser.ts';
import type { Origin } from '../../support/origin.ts';
import { seededRandom } from '../../support/random.ts';
import { startStoreOrigin, WorkerCaller } from './store-page.ts';

let origin: Origin;

test.beforeAll(async () => {
  origin = await startStoreOrigin();
});

test.afterAll(async () => {
  await origin.stop();
});

interface Verified {
  readonly present: string[];
  readonly wrong: string[];
  readonly mountMs: number;
}

function expectKept({ present, wrong }: Verified, committed: readonly string[]): void {
  const found = new Set(present);
  expect(wrong).toEqual([]);
  expect(committed.filter((block) => !found.has(block))).toEqual([]);
}

/** Collects what the writing worker says is committed; resolves when it has said so `times` times. */
async function untilCommitted(page: Page, times: number): Promise<void> {
  await page.evaluate(
    (count) =>
      new Promise<void>((resolve) => {
        const holder = globalThis as unknown as { channel?: BroadcastChannel; committed?: string[] };
        holder.channel?.close();
        holder.channel = new BroadcastChannel('committed');
        let left = count;
        holder.channel.onmessage = (event: MessageEvent<string[]>) => {
          holder.committed = event.data;
          left -= 1;
          if (left === 0) resolve();
        };
      }),
    times,
  );
}

test('a worker that is terminated while it writes: the next one mounts at once and loses nothing committed', async ({
  page,
}) => {
  await page.goto(`${origin.url}/`);
  const random = seededRandom(5);
  let before: string[] = [];
  for (let round = 0; round < 12; round++) {
    const worker = await WorkerCaller.worker(page);
    const committed = untilCommitted(page, 1 + Math.floor(random() * 25));
    await worker.send('writeUntilKilled', 'kill', round);
    await committed;
    // The worker is still writing; starting the next one terminates it wherever it is.
    const next = await WorkerCaller.worker(page);
    const found = await next.call<Verified>('verify', 'kill');
    const lastCommitted = await page.evaluate(
      () => (globalThis as unknown as { committed: string[] }).committed,
    );
    expectKept(found, [...before, ...lastCommitted]);
    expect(found.mountMs).toBeLessThan(15_000);
    before = found.present;
  }
  expect(before.length).toBeGreaterThan(100);
  const last = await WorkerCaller.worker(page);
  expect(await last.call('complete', 'kill')).toBe(4);
});

test('a browser that is killed while a worker writes: the next one mounts and loses nothing committed', async ({
  profile,
}) => {
  let before: string[] = [];
  for (let round = 0; round < 3; round++) {
    const page = await (await profile.launch()).newPage();
    await page.goto(`${origin.url}/`);
    const worker = await WorkerCaller.worker(page);
    expectKept(await worker.call('verify', 'kill'), before);
    const committed = untilCommitted(page, 8);
    await worker.send('writeUntilKilled', 'kill', 100 + round);
    await committed;
    before = await page.evaluate(() => (globalThis as unknown as { committed: string[] }).committed);
    await profile.kill();
  }
  const page = await (await profile.launch()).newPage();
  await page.goto(`${origin.url}/`);
  const worker = await WorkerCaller.worker(page);
  expectKept(await worker.call('verify', 'kill'), before);
  expect(await worker.call('complete', 'kill')).toBe(4);
});
