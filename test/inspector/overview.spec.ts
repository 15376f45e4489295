import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import type { InspectorHome } from '../../src/inspector/home.ts';
import { overviewTotals } from '../../src/inspector/model/overview-totals.ts';
import { OverviewWatch } from '../../src/inspector/service/overview-watch.ts';
import { type Clock, systemClock } from '../../src/protocol/clock.ts';
import type { InspectedVersion } from '../../src/protocol/inspection.ts';
import { runtimeCacheName, scopeOfRuntimeCache } from '../../src/protocol/messages.ts';
import { makeSite } from '../loader/site-fixture.ts';
import { type Tabs, withTabs } from '../loader/tabs.ts';
import { until } from '../support/until.ts';

const everyMs = 1000;
/** The pauses between two looks are short; deadlines are as they are. */
const clock: Clock = {
  now: systemClock.now,
  after: (ms, wake) => systemClock.after(ms === everyMs ? 10 : ms, wake),
};

const kept: InspectedVersion = {
  image: 'c'.repeat(64),
  inUse: false,
  isStored: true,
  lastUsed: 5,
  bytes: 100,
  stored: { total: 200, present: 90 },
};

/** A page of the tabs' origin. */
function homeOf({ locks }: Tabs, more: Partial<InspectorHome> = {}): InspectorHome & { questions: number } {
  const own = locks.of('panel');
  return {
    questions: 0,
    scope: undefined,
    newChannel: (name) => new BroadcastChannel(name),
    holdLock: (name) =>
      new Promise((resolve) => {
        void own.request(name, {}, () => new Promise<void>((release) => resolve(release)));
      }),
    async heldLocks() {
      this.questions += 1;
      return ((await own.query()).held ?? []).flatMap(({ name }) => name ?? []);
    },
    ...more,
  };
}

test('open sites are asked, closed ones read, once; a store that cannot be read holds up nobody', async () => {
  const site = await makeSite([{ name: 'a.bin', size: 9000, shift: 12 }], 100_000);
  await withTabs(site, async (tabs) => {
    const { scope, release } = tabs;
    const reads: string[] = [];
    const closed = 'https://site.example/closed/';
    const broken = 'https://site.example/broken/';
    const home = homeOf(tabs, {
      knownSites: async () => [closed, broken, scope],
      storedImages: async (of) => {
        reads.push(of);
        if (of === broken) throw new SluiceError('store-too-new', 'of a newer release');
        return [kept];
      },
    });
    const tab = tabs.openAs('tab');
    await tab.start({ scope, release });
    await tab.whenComplete();
    let news = 0;
    const watch = new OverviewWatch({
      home,
      clock,
      onChange: () => {
        news += 1;
      },
    });
    expect(watch.sites).toBeUndefined();
    const summary = (of: string) => watch.sites?.find((one) => one.scope === of);
    await until(async () => summary(scope)?.versions?.[0]?.stored?.present === site.blobs[0]!.bytes.length);
    expect(summary(scope)).toMatchObject({
      isOpen: true,
      kind: 'opfs',
      tabs: [{ loader: 'tab', isLeader: true, isInspector: false }],
      error: undefined,
    });
    expect(summary(closed)).toMatchObject({ isOpen: false, tabs: [], versions: [kept], kind: undefined });
    await until(async () => summary(broken)?.error?.code === 'store-too-new');
    expect(summary(broken)).toMatchObject({ isOpen: false, versions: undefined });
    const seen = news;
    await until(async () => news > seen + 6);
    expect(reads.filter((of) => of === closed)).toHaveLength(1);
    expect(watch.sites!.map((one) => one.scope)).toEqual([scope, broken, closed].sort());
    expect(overviewTotals(watch.sites!)).toMatch(/^3 sites · 2 images · 1 tab · /);

    // Its last tab goes: what is left of it is read, and not what its leader said last.
    expect(reads).not.toContain(scope);
    await tab.close();
    await until(async () => summary(scope)?.isOpen === false && reads.includes(scope));
    await until(async () => summary(scope)?.versions?.[0] === kept);
    expect(summary(scope)).toMatchObject({ tabs: [], kind: undefined });

    // While nobody looks, nothing is asked.
    watch.awake = false;
    await until(async () => {
      const before = home.questions;
      await new Promise((resolve) => clock.after(everyMs, () => resolve(undefined)));
      return home.questions === before;
    });
    const { questions } = home;
    for (let i = 0; i < 5; i++)
      await new Promise((resolve) => clock.after(everyMs, () => resolve(undefined)));
    expect(home.questions).toBe(questions);
    watch.awake = true;
    await until(async () => home.questions > questions);

    watch.close();
    await until(async () => !(await home.heldLocks()).some((name) => name.startsWith('sluice:loader:')));
  });
});

test('a scope is told from the name of its runtime’s cache, and from no other name', () => {
  for (const scope of ['https://site.example/', 'http://localhost:1/a/b%20c/'])
    expect(scopeOfRuntimeCache(runtimeCacheName(scope, '0.1.0-abc'))).toBe(scope);
  for (const name of [
    'workbox-precache',
    'sluice:loader:x',
    'sluice-code:https://site.example/',
    'sluice:x y',
  ])
    expect(scopeOfRuntimeCache(name)).toBeUndefined();
});
