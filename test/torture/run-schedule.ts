import { setTimeout as sleep } from 'node:timers/promises';
import type { Sluice } from '../../src/client/index.ts';
import { withDeadline } from '../../src/protocol/deadline.ts';
import { randomReaders, wrongFiles } from '../browser/proof/readers.ts';
import { storedBlobs } from '../browser/proof/stored-blobs.ts';
import { Origin } from '../support/origin.ts';
import { RoughLink } from '../support/rough-link.ts';
import { faultySite } from './faulty-site.ts';
import { unjustified } from './justified.ts';
import { type TortureOrder, tortureChannel } from './runtime-faults.ts';
import { type Action, linkFault, originFault, type Schedule } from './schedule.ts';
import { publishedPaths, type TortureSites } from './torture-sites.ts';
import type { Tab, Visitor } from './visitor.ts';

declare const window: Window & { sluice: Sluice };

/** How a schedule ended. */
export interface Outcome {
  readonly seed: number;
  /** What was not as it has to be; empty when all was. */
  readonly wrong: readonly string[];
  readonly reads: number;
  /** Of reads, by `Sluice-Error`. */
  readonly failures: Readonly<Record<string, number>>;
  /** Until the headers, or the failure, of the slowest read came. */
  readonly slowestAnswerMs: number;
  /** From the mending until every file was read and right. */
  readonly rightAfterMs: number;
  /** How often the visitor had to ask again (Try again, or a reload) after everything was mended. */
  readonly asked: number;
  readonly ms: number;
}

/** An app that has not been launched by then is launched while things go wrong. */
const beginsMs = 10_000;
/** A read that has not ended by then hangs, whatever is done wrong: of many blocks each may be waited for. */
const hangMs = 60_000;
/** For a page to answer a question that takes no time; one that is busy, or not there yet, may leave it. */
const askMs = 30_000;
/** After the mending: a launch, all files, and the rest of the image. */
const launchMs = 20_000;
const completeMs = 180_000;

/** Launches the app with everything that the schedule does wrong, mends it all, and compares every file with its source. */
export async function runSchedule(
  schedule: Schedule,
  sites: TortureSites,
  visitor: Visitor,
): Promise<Outcome> {
  const site = await sites.of(schedule.codec);
  const until = Date.now() + schedule.mendedAtMs + (schedule.begins === 'when-launched' ? beginsMs : 0);
  await using faulty = await faultySite(site.dir, schedule.store && { ...schedule.store, until });
  const others = await publishedPaths(site);
  let goesWrong = schedule.begins === 'at-navigation';
  await using origin = await Origin.start({
    mounts: { '/': faulty.dir },
    ranges: schedule.ranges,
    fault: (request) => (goesWrong ? originFault(schedule, request, others) : undefined),
  });
  let connections = 0;
  await using link = await RoughLink.start({
    targetPort: origin.port,
    bytesPerSecond: schedule.bytesPerSecond,
    fault: () => (goesWrong ? linkFault(schedule, connections++) : undefined),
  });
  const run = new Run(schedule, sites, visitor, origin, link);
  try {
    await run.begin();
    goesWrong = true;
    return await run.outcome(until);
  } finally {
    await run.closeTabs();
  }
}

class Run {
  readonly #schedule: Schedule;
  readonly #sites: TortureSites;
  readonly #visitor: Visitor;
  readonly #origin: Origin;
  readonly #link: RoughLink;
  readonly #startedAt = performance.now();
  /** When things began to go wrong. */
  #begunAt = 0;
  readonly #tabs: Tab[] = [];
  readonly #reading: Promise<void>[] = [];
  readonly #wrong: string[] = [];
  readonly #failures: Record<string, number> = {};
  #reads = 0;
  #slowestAnswerMs = 0;
  #asked = 0;
  #isLaunched = false;
  #mended = false;

  constructor(schedule: Schedule, sites: TortureSites, visitor: Visitor, origin: Origin, link: RoughLink) {
    this.#schedule = schedule;
    this.#sites = sites;
    this.#visitor = visitor;
    this.#origin = origin;
    this.#link = link;
  }

  /** The first navigation, and where the schedule says so, its end. */
  async begin(): Promise<void> {
    await this.#openTab();
    const latest = performance.now() + (this.#schedule.begins === 'when-launched' ? beginsMs : 0);
    while (performance.now() < latest && !this.#isLaunched) await sleep(20);
    this.#begunAt = performance.now();
  }

  /** `mendedAt`: from then on the store fails no more, in Unix milliseconds. */
  async outcome(mendedAt: number): Promise<Outcome> {
    const { seed, steps, mendedAtMs } = this.#schedule;
    for (const { atMs, action } of steps) {
      await this.#until(atMs);
      await this.#act(action);
    }
    await this.#until(mendedAtMs);
    this.#origin.fault = undefined;
    this.#link.mend();
    // What hangs at a server, nothing but the end of its connection ends.
    if (this.#schedule.origin.faults.some((type) => type.startsWith('hang'))) this.#link.cut();
    this.#mended = true;
    const askedAt = performance.now();
    await Promise.all(this.#reading);
    const tab = this.#tabs[0]!;
    let rightAfterMs = 0;
    if (await this.#launched(tab)) {
      this.#note('after the mending', await this.#wrongNow(tab));
      rightAfterMs = Math.round(performance.now() - askedAt);
      if (this.#schedule.store) await sleep(Math.max(0, mendedAt - Date.now()));
      await this.#complete(tab);
    }
    this.#wrong.push(...unjustified(this.#schedule, this.#failures));
    return {
      seed,
      wrong: this.#wrong,
      reads: this.#reads,
      failures: this.#failures,
      slowestAnswerMs: this.#slowestAnswerMs,
      rightAfterMs,
      asked: this.#asked,
      ms: Math.round(performance.now() - this.#startedAt),
    };
  }

  async closeTabs(): Promise<void> {
    for (const tab of this.#tabs) await withDeadline('Closing a tab', tab.end(), askMs).catch(console.error);
  }

  async #act(action: Action): Promise<void> {
    switch (action.type) {
      case 'stop-service-worker':
        await this.#visitor.stopServiceWorkers?.();
        return;
      case 'end-loaders':
        return this.#order({ type: 'end' });
      case 'hang-loaders':
        return this.#order({ type: 'hang' });
      case 'clock-jump':
        return this.#order({ type: 'jump', ms: action.ms });
      case 'reload':
      case 'navigate':
        return this.#open(this.#tabs[0]!, action.type === 'navigate' ? '/pages/second.html' : '/');
      case 'open-tab':
        return this.#openTab();
      case 'close-tab': {
        const closed = this.#tabs.shift()!;
        if (this.#tabs.length === 0) await this.#openTab();
        await withDeadline('Closing a tab', closed.end(), askMs).catch(console.error);
        return;
      }
      case 'network-away':
        await this.#origin.stop();
        if (action.told) await this.#say('offline');
        await sleep(action.ms);
        await this.#origin.start();
        if (action.told) await this.#say('online');
    }
  }

  async #openTab(): Promise<void> {
    const tab = await this.#visitor.openTab();
    this.#tabs.push(tab);
    await this.#open(tab, '/');
    this.#reading.push(this.#readIn(tab));
  }

  /** What the link or the server keeps from coming is a page of the browser's own; the visitor asks again later. */
  async #open(tab: Tab, path: string): Promise<void> {
    await tab.open(`${this.#link.url}${path}`).catch((error: unknown) => {
      if (this.#mended) this.#wrong.push(`a navigation after the mending: ${error}`);
    });
  }

  /** Reads by random as long as things go wrong. */
  async #readIn(tab: Tab): Promise<void> {
    const { seed, readTimeoutMs } = this.#schedule;
    for (let batch = 1; !this.#mended && this.#tabs.includes(tab); batch++) {
      try {
        if (!(await asked(tab, isLaunched, readTimeoutMs))) {
          await sleep(50);
          continue;
        }
        this.#isLaunched = true;
        const work = randomReaders(tab, {
          files: this.#sites.files,
          seed: seed * 1000 + batch,
          reads: 16,
          readers: 6,
          deadlineMs: hangMs,
          mayFail: true,
        });
        const report = await withDeadline('A batch of reads', work, 3 * hangMs);
        this.#reads += report.reads;
        this.#slowestAnswerMs = Math.max(this.#slowestAnswerMs, report.slowestAnswerMs);
        for (const [code, count] of Object.entries(report.failures))
          this.#failures[code] = (this.#failures[code] ?? 0) + count;
        this.#note('while things went wrong', report.wrong);
      } catch (error) {
        // The page went away with its reads.
        if (!isGone(error)) this.#wrong.push(`reading: ${error}`);
        await sleep(50);
      }
    }
  }

  /** The app runs in the tab; the visitor helps where it says that it failed. */
  async #launched(tab: Tab): Promise<boolean> {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (attempt > 0) {
        this.#asked += 1;
        if (!(await asked(tab, tryAgain, undefined).catch(() => false))) await this.#open(tab, '/');
      }
      const deadline = performance.now() + launchMs;
      while (performance.now() < deadline) {
        const launched = await asked(tab, isLaunched, 30_000).catch(() => false);
        if (launched) return true;
        if (await asked(tab, hasFailed, undefined).catch(() => false)) break;
        await sleep(50);
      }
    }
    this.#wrong.push(
      `not launched after the mending: ${await asked(tab, saidByPage, undefined).catch(String)}`,
    );
    return false;
  }

  /** A read may join one that began before the mending, and get its verdict; the next one tries again. */
  async #wrongNow(tab: Tab): Promise<string[]> {
    const first = await wrongFiles(tab, this.#sites.files, hangMs);
    const again = this.#sites.files.filter(({ path }) => first.some((what) => what.startsWith(`${path}: 5`)));
    this.#asked += again.length > 0 ? 1 : 0;
    const others = first.filter((what) => !again.some(({ path }) => what.startsWith(`${path}: 5`)));
    return [...others, ...(await wrongFiles(tab, again, hangMs))];
  }

  /** The image completes, its blobs are the published ones, and the app runs without a server. */
  async #complete(tab: Tab): Promise<void> {
    // A store that has failed is tried again a minute later, or by the next loader.
    if (this.#schedule.store) {
      for (const other of this.#tabs.splice(1)) await other.end();
      await this.#open(tab, '/');
      if (!(await this.#launched(tab))) return;
    }
    try {
      await withDeadline('whenComplete', tab.evaluate(whenComplete, undefined), completeMs);
    } catch (error) {
      this.#wrong.push(`${error}: ${await asked(tab, stateOf, undefined).catch(String)}`);
      return;
    }
    for (const [name, digest] of Object.entries(await storedBlobs(tab)))
      if (name !== digest) this.#wrong.push(`the stored blob ${name} is another one`);
    const before = await asked(tab, stateOf, undefined).catch(String);
    await this.#origin.stop();
    this.#link.cut();
    await this.#open(tab, '/');
    if (!(await this.#launched(tab))) return;
    const wrong = await wrongFiles(tab, this.#sites.files, hangMs);
    this.#note('offline', wrong);
    if (wrong.length > 0) this.#note('before that', [before]);
  }

  #note(when: string, wrong: readonly string[]): void {
    this.#wrong.push(...wrong.map((what) => `${when}: ${what}`));
  }

  /** To the workers of all tabs. */
  async #order(order: TortureOrder): Promise<void> {
    await asked(this.#tabs[0]!, tell, { channel: tortureChannel, order }).catch(() => {});
  }

  async #say(type: 'online' | 'offline'): Promise<void> {
    for (const tab of this.#tabs) await asked(tab, dispatch, type).catch(() => {});
  }

  async #until(ms: number): Promise<void> {
    const left = this.#begunAt + ms - performance.now();
    if (left > 0) await sleep(left);
  }
}

/** Playwright's words, and WebDriver's, for a page that is not there any more; and the words of a loader that cannot tell its state, because it hangs or could not start. */
function isGone(error: unknown): boolean {
  return /SluiceError: |context was destroyed|has been closed|navigat|not a launched app|detached|no such frame/i.test(
    String(error),
  );
}

function asked<Arg, Result>(
  tab: Tab,
  work: (arg: Arg) => Result | Promise<Result>,
  arg: Arg,
): Promise<Result> {
  // Playwright's own type unboxes handles, of which there are none here.
  const evaluate = tab.evaluate as (work: unknown, arg: unknown) => Promise<Result>;
  return withDeadline(work.name, evaluate(work, arg), askMs);
}

// In the page.

function isLaunched(readTimeoutMs: number): boolean {
  if (document.documentElement?.dataset.app !== 'runs' || !window.sluice) return false;
  if (window.sluice.readTimeoutMs !== readTimeoutMs) window.sluice.readTimeoutMs = readTimeoutMs;
  return navigator.serviceWorker.controller !== null;
}

function tryAgain(): boolean {
  const button = document.querySelector('button');
  button?.click();
  return button !== null;
}

/** A boot page that waits for its visitor, or a page of the browser's own. */
function hasFailed(): boolean {
  return document.querySelector('button') !== null || !/^http/.test(document.URL);
}

function saidByPage(): string {
  return `${document.URL} ${document.body?.textContent.slice(0, 300)}`;
}

function whenComplete(): Promise<void> {
  return window.sluice.whenComplete();
}

async function stateOf(): Promise<string> {
  return JSON.stringify(await window.sluice.state());
}

function dispatch(type: string): void {
  dispatchEvent(new Event(type));
}

function tell({ channel, order }: { channel: string; order: TortureOrder }): void {
  const port = new BroadcastChannel(channel);
  port.postMessage(order);
  port.close();
}
