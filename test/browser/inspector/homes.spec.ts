import type { Page } from '@playwright/test';
import { DevtoolsHome } from '../../../src/extension/devtools-home.ts';
import type { Evaluate } from '../../../src/extension/page-link.ts';
import { SluiceError } from '../../../src/format/errors.ts';
import { type Clock, systemClock } from '../../../src/protocol/clock.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { inspectorHomeContract } from '../../contracts/inspector-home.ts';
import { expect, test } from '../../support/browser.ts';
import type { Origin } from '../../support/origin.ts';
import { until } from '../../support/until.ts';
import { startHomeOrigin } from './home-page.ts';

/** The homes of the inspector: its own page, and DevTools’ panel, whose evaluations are done here by the browser's driver. */
declare const window: Window & { runCase: (name: string) => Promise<void> };

let origin: Origin;
test.beforeAll(async () => {
  origin = await startHomeOrigin();
});
test.afterAll(() => origin.stop());
test.beforeEach(async ({ page }) => {
  await page.goto(`${origin.url}/`);
  // Its worker hears what is posted from now on.
  await until(async () => (await lockNames(page)).includes('far'));
});

const evaluateIn =
  (page: Page): Evaluate =>
  (expression) =>
    page.evaluate(expression).catch((error: unknown) => {
      throw new SluiceError('EACCES', String(error));
    });

/** What of bridges there is in the page. */
const bridges = (page: Page) =>
  page.evaluate(
    () =>
      Object.getOwnPropertySymbols(globalThis).filter(({ description }) => description?.startsWith('sluice:'))
        .length,
  );
const lockNames = (page: Page) =>
  page.evaluate(async () => (await navigator.locks.query()).held!.map(({ name }) => name));

function fail(reason: unknown): void {
  throw reason;
}

/** So that larger messages take several calls. */
const limits = { mostTaken: 300_000 };

/** Opens a home, and gives what it has ended with. */
async function openHome(page: Page, options: Partial<Parameters<typeof DevtoolsHome.open>[0]> = {}) {
  const { promise: ended, resolve: end } = deferred<SluiceError>();
  const home = await DevtoolsHome.open({ evaluate: evaluateIn(page), onEnd: end, ...options });
  return { home, ended };
}

test('a home in a page of the origin keeps the contract', async ({ page }) => {
  for (const { name } of inspectorHomeContract) {
    await test.step(name, () => page.evaluate((name) => window.runCase(name), name));
  }
});

test('a home in DevTools keeps the contract', async ({ page }) => {
  for (const { name, run } of inspectorHomeContract) {
    await test.step(name, async () => {
      const home = await DevtoolsHome.open({ evaluate: evaluateIn(page), onEnd: fail, limits });
      await run(home);
      home.close();
    });
  }
  await until(async () => (await bridges(page)) === 0);
});

test('a home in DevTools keeps the contract though calls and answers are lost', async ({ page }) => {
  let calls = 0;
  const evaluate: Evaluate = async (expression) => {
    calls += 1;
    // An answer that says nothing stands for one that was lost: the page has done what it was asked for, and the panel has not heard of it.
    const answer = await page.evaluate(expression);
    return calls % 3 === 0 && expression.includes('.exchange(')
      ? JSON.stringify({ first: 0, pieces: [], received: 0, more: false })
      : answer;
  };
  for (const { name, run } of inspectorHomeContract) {
    await test.step(name, async () => {
      const home = await DevtoolsHome.open({ evaluate, onEnd: fail, limits });
      await run(home);
      home.close();
    });
  }
});

test('a panel that is closed leaves nothing in the page, and one that is gone is let go of', async ({
  page,
}) => {
  expect(await bridges(page)).toBe(0);
  const { home: closed } = await openHome(page);
  await closed.holdLock('closed');
  expect(await lockNames(page)).toContain('closed');
  closed.close();
  await until(async () => (await bridges(page)) === 0);
  expect(await lockNames(page)).not.toContain('closed');

  let isGone = false;
  const evaluate: Evaluate = (expression) => (isGone ? new Promise(() => {}) : page.evaluate(expression));
  const { home } = await openHome(page, { evaluate, limits: { leaseMs: 2500 } });
  await home.holdLock('gone');
  expect(await bridges(page)).toBe(1);
  isGone = true;
  await until(async () => (await bridges(page)) === 0 && !(await lockNames(page)).includes('gone'));
});

test('the page is left: the home ends, and one in the next page has nothing of it', async ({ page }) => {
  const { home, ended } = await openHome(page);
  await home.holdLock('mine');
  const channel = home.newChannel('from-far');
  const closed = new Promise((resolve) => channel.addEventListener('close', resolve));
  await page.goto(`${origin.url}/other/`);
  const reason = await ended;
  expect(reason).toBeInstanceOf(SluiceError);
  expect(reason.code).toBe('disconnected');
  await closed;
  await expect(home.heldLocks()).rejects.toMatchObject({ code: 'disconnected' });
  const { home: next } = await openHome(page);
  expect(await next.heldLocks()).toEqual([]);
  expect(await next.isServed()).toBe(false);
  await page.evaluate(() => Object.assign(globalThis, { sluice: { state() {} } }));
  expect(await next.isServed()).toBe(true);
  next.close();
  // So does one whose page has let go of it, as after a long sleep.
  const { ended: forgotten } = await openHome(page);
  await page.evaluate(() => {
    for (const symbol of Object.getOwnPropertySymbols(globalThis)) Reflect.deleteProperty(globalThis, symbol);
  });
  expect((await forgotten).code).toBe('disconnected');
});

test('more than the panel takes, or what it cannot take, ends it with a word on why', async ({ page }) => {
  const post = (make: string) => page.evaluate(`new BroadcastChannel('noise').postMessage(${make})`);
  const much = await openHome(page, { limits: { mostWaiting: 100_000 } });
  much.home.newChannel('noise');
  await much.home.heldLocks();
  await post('new Uint8Array(99_000)');
  expect((await much.ended).code).toBe('E2BIG');
  const odd = await openHome(page);
  odd.home.newChannel('noise');
  await odd.home.heldLocks();
  await post('new Map()');
  expect((await odd.ended).code).toBe('unreadable');
});

test('a page that cannot be looked into, does not answer, or answers nonsense is said to be so', async ({
  page,
}) => {
  const open = (evaluate: Evaluate, clock?: Clock) => openHome(page, { evaluate, ...(clock && { clock }) });
  const refused = new SluiceError('EACCES', 'not there');
  await expect(open(() => Promise.reject(refused))).rejects.toBe(refused);
  await expect(open(async () => 7)).rejects.toMatchObject({ code: 'unreadable' });
  const hasty: Clock = { now: systemClock.now, after: (_ms, wake) => systemClock.after(1, wake) };
  await expect(open(() => new Promise(() => {}), hasty)).rejects.toMatchObject({ code: 'call-timeout' });
  let nonsense = '';
  const { ended } = await open((expression) =>
    nonsense ? Promise.resolve(nonsense) : page.evaluate(expression),
  );
  nonsense = '{"first": 1000, "pieces": ["x"], "received": 0}';
  expect((await ended).code).toBe('unreadable');
});

test('it asks often while messages come, seldom while none do, and tells scope and marks', async ({
  page,
}) => {
  const began = Date.now();
  await page.evaluate((url) => {
    for (const scope of [`${url}/`, `${url}/oth`, `${url}/elsewhere/`])
      void navigator.locks.request(`sluice:writer:${scope}`, () => new Promise(() => {}));
  }, origin.url);
  const pauses: number[] = [];
  const clock: Clock = {
    now: systemClock.now,
    after: (ms, wake) => {
      if (ms < 1000) pauses.push(ms);
      return systemClock.after(ms, wake);
    },
  };
  const { home } = await openHome(page, { clock });
  expect(home.scope).toBe(`${origin.url}/`);
  await until(async () => pauses.at(-1) === 250);
  expect(pauses[0]).toBe(50);
  expect(Math.max(...pauses)).toBe(250);
  const idle = pauses.length;
  const marks = new Map((await home.marks()).map(({ name, at }) => [name, at]));
  expect(pauses.slice(idle)).toContain(50);
  const [start, response, load] = ['navigationStart', 'responseStart', 'load'].map(
    (name) => marks.get(name)!,
  );
  expect(Math.abs(start! - began)).toBeLessThan(60_000);
  expect(response).toBeGreaterThan(start!);
  expect(load).toBeGreaterThan(response!);
  home.close();
});
