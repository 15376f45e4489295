import { isDeepStrictEqual } from 'node:util';
import type { Sluice } from '../../../src/client/index.ts';
import { expect, test } from '../../support/browser.ts';
import { ChromeTrace, type TraceEvent } from '../../support/chrome-trace.ts';
import { Origin } from '../../support/origin.ts';
import { noise } from '../../support/random.ts';
import { until } from '../../support/until.ts';
import { type AppFiles, launched, smallApp, smallSite } from '../small-site.ts';

declare const window: Window & { sluice?: Sluice };

const files: AppFiles = { ...smallApp(), 'level.dat': noise(3, 1_300_000) };
const delayMs = 300;
/** What the page says is told to 0.1 ms. */
const exactUs = 200;
/** Clocks of processes: of the page, the service worker and the loader. */
const slackUs = 150_000;

/** A measure that is an entry of a track. */
interface Entry {
  readonly name: string;
  /** From the begin of the page's navigation on, in µs. */
  readonly start: number;
  readonly end: number;
  readonly detail: {
    readonly devtools: {
      readonly dataType: string;
      readonly trackGroup: string;
      readonly track: string;
      readonly color: string;
      readonly properties: readonly (readonly [string, string])[];
      readonly tooltipText: string;
    };
  };
}

/** One that was recorded: ids of measures are used again, so that of several ends one is its. */
interface RecordedEntry extends Omit<Entry, 'end'> {
  readonly ends: readonly number[];
}

const tracks = ['Fetches', 'Reads', 'Stalls', 'Verification'];
/** Those that the panel knows; for any other word it takes one of its own. */
const colors = ['primary', 'primary-dark', 'secondary', 'tertiary', 'error'];

const isTiming = ({ cat }: TraceEvent): boolean => cat.split(',').includes('blink.user_timing');

/** When the navigation of the page began that has set this mark, and in which process that is. */
function pageOf(
  events: readonly TraceEvent[],
  mark: string,
): { readonly pid: number; readonly began: number } {
  const navigationOf = ({ args }: TraceEvent) =>
    (args.data as { navigationId?: string } | undefined)?.navigationId;
  const marked = events.findLast((event) => isTiming(event) && event.name === mark)!;
  const { pid, ts } = events.find(
    (event) =>
      isTiming(event) &&
      event.name === 'navigationStart' &&
      event.pid === marked.pid &&
      navigationOf(event) === navigationOf(marked),
  )!;
  return { pid, began: ts };
}

/** What of the recording Chrome's panel takes for entries of a track. */
function recordedEntries(events: readonly TraceEvent[], pid: number, began: number): RecordedEntry[] {
  const measures = events.filter((event) => isTiming(event) && event.pid === pid);
  const idOf = ({ id, id2 }: TraceEvent): string | undefined => id2?.local ?? id;
  const entries = measures.filter(
    ({ ph, args: { detail } }) =>
      /[bn]/.test(ph) && typeof detail === 'string' && detail.includes('track-entry'),
  );
  return entries.map((event) => {
    const ends = measures.filter(
      ({ ph, name, ...end }) =>
        ph === 'e' && name === event.name && idOf({ ph, name, ...end }) === idOf(event),
    );
    return {
      name: event.name,
      start: event.ts - began,
      // One without length has no end of its own.
      ends: (event.ph === 'n' ? [event] : ends).map(({ ts }) => ts - began),
      detail: JSON.parse(event.args.detail as string),
    };
  });
}

test('a recording of Chrome’s Performance panel has the performance track: each entry, with its detail, on its track, and on the page’s axis', async ({
  engine,
  page,
}) => {
  test.skip(engine === 'firefox', 'only Chromium’s DevTools can be driven');
  test.slow();
  await using site = await smallSite(files, { blobSize: 512 * 1024, codec: 'none' });
  let isSlow = false;
  await using origin = await Origin.start({
    mounts: { '/': site.dir },
    // The browser's HTTP cache would answer for the server.
    headers: () => ({ 'Cache-Control': 'no-store' }),
    fault: ({ path }) => (isSlow && path.endsWith('.bin') ? { type: 'delay', ms: delayMs } : undefined),
  });
  await page.goto(origin.url);
  await launched(page);
  await page.evaluate(async () => {
    await window.sluice!.whenComplete();
    window.sluice!.performanceTrack = true;
  });
  const measured = (): Promise<Entry[]> =>
    page.evaluate(() =>
      performance.getEntriesByType('measure').flatMap((entry) => {
        const { name, startTime, duration, detail } = entry as PerformanceMeasure;
        const [start, end] = [startTime * 1000, (startTime + duration) * 1000];
        return detail?.devtools ? [{ name, start, end, detail }] : [];
      }),
    );

  // As a developer does it: switched on, recorded, reloaded.
  const trace = await ChromeTrace.start(page);
  await page.reload();
  await launched(page);
  // What a launch misses, the service worker fetches by itself before a loader leads, and the track does not show that.
  await page.evaluate(() => window.sluice!.evict());
  isSlow = true;
  await page.evaluate(async () => void (await (await fetch('level.dat')).arrayBuffer()));
  await until(async () => {
    const there = (await measured()).map(({ name, detail }) => `${detail.devtools.track} ${name}`);
    return (
      ['Reads', 'Stalls', 'Verification'].every((track) => there.includes(`${track} level.dat`)) &&
      there.some((entry) => entry.startsWith('Fetches'))
    );
  });
  await page.evaluate(() => performance.mark('seen'));
  const shown = await measured();
  const events = await trace.stop();

  const { pid, began } = pageOf(events, 'seen');
  const recorded = recordedEntries(events, pid, began);
  for (const { name, start, end, detail } of shown) {
    const same = recorded.filter(
      (entry) =>
        entry.name === name &&
        Math.abs(entry.start - start) <= exactUs &&
        entry.ends.some((one) => Math.abs(one - end) <= exactUs) &&
        isDeepStrictEqual(entry.detail, detail),
    );
    expect(same, `${name} from ${start} to ${end}: ${JSON.stringify(detail)}`).toHaveLength(1);
    const { dataType, trackGroup, track, color, properties, tooltipText } = detail.devtools;
    expect({ dataType, trackGroup, tooltipText }).toEqual({
      dataType: 'track-entry',
      trackGroup: 'Sluice',
      tooltipText: name,
    });
    expect(tracks).toContain(track);
    expect(colors).toContain(color);
    expect(properties.length).toBeGreaterThan(0);
    for (const words of properties) expect(words).toEqual([expect.any(String), expect.any(String)]);
  }

  // What the browser itself says of the page's request, and what the track says of the reads for it, is of one time.
  const network = (name: string): TraceEvent[] => events.filter((event) => event.name === name);
  const dataOf = ({ args }: TraceEvent) => args.data as { readonly requestId: string; readonly url?: string };
  const sent = network('ResourceSendRequest').findLast(
    (event) => event.pid === pid && dataOf(event).url?.endsWith('/level.dat') && event.ts > began,
  )!;
  const finished = network('ResourceFinish').find(
    (event) => dataOf(event).requestId === dataOf(sent).requestId,
  )!;
  const stalls = recorded.filter(
    ({ name, start, detail }) => name === 'level.dat' && start > 0 && detail.devtools.track === 'Stalls',
  );
  expect(stalls.length).toBeGreaterThan(0);
  expect(finished.ts - sent.ts).toBeGreaterThan(delayMs * 1000);
  for (const { start, ends } of stalls) {
    expect(began + start).toBeGreaterThan(sent.ts - slackUs);
    expect(began + Math.min(...ends.filter((end) => end >= start))).toBeLessThan(finished.ts + slackUs);
  }
});
