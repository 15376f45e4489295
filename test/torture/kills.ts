import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { ShapedLink } from '../../bench/link.ts';
import type { Sluice } from '../../src/client/index.ts';
import { killedStore } from '../browser/proof/killed-store.ts';
import { type Fetched, twiceFetched } from '../browser/proof/published.ts';
import { wrongFiles } from '../browser/proof/readers.ts';
import { storedBlobs } from '../browser/proof/stored-blobs.ts';
import { launched } from '../browser/small-site.ts';
import { BrowserProfile } from '../support/browser-profile.ts';
import { seededRandom } from '../support/random.ts';
import { arrivedRanges } from './block-fetches.ts';
import {
  changeOnAndOn,
  changeRelease,
  evictOnAndOn,
  limitQuota,
  lostChange,
  type Phase,
  phases,
} from './kill-phases.ts';
import { startReading, takeReads } from './steady-reader.ts';
import { TwoReleases } from './two-releases.ts';

declare const window: Window & { sluice: Sluice; acknowledged?: number };

export interface KillsOptions {
  readonly seed: number;
  readonly kills: number;
}

export interface KillsFigures {
  readonly kills: Record<Phase, number>;
  /** Launches that came so far that the image was mounted. */
  mounted: number;
  reads: number;
  /** Changes of the tree that were acknowledged in lives that ended so. */
  acknowledged: number;
  /** Of a kill after which most came once more: so many bytes, and so many had come in the second before it. */
  readonly again: { bytes: number; ofLastSecond: number };
  /** Everything that was not as it must be, in words. */
  readonly wrong: string[];
}

/** Of an image of 8 MB an eighth, and of its blobs two, in a second. */
const slow = { mbitPerSecond: 8, rttMs: 10 };
const fast = { mbitPerSecond: 80, rttMs: 10 };
/** A launch that takes so long hangs. */
const launchMs = 60_000;

/** What one life of the browser leaves behind, for the next one to be compared with. */
interface Past {
  /** That the page ran; undefined where it did not come so far. */
  readonly image: string | undefined;
  readonly fetched: readonly Fetched[];
  readonly ofLastSecond: number;
}

/**
 * Kills the browser with SIGKILL again and again while its store is loaded, sealed, checkpointed, culled and evicted. Each launch must go on where the one before
 * was killed: with right bytes, with what was acknowledged, and without fetching again what is journaled.
 */
export class Kills {
  readonly figures: KillsFigures = {
    kills: { load: 0, seal: 0, checkpoint: 0, cull: 0, evict: 0 },
    mounted: 0,
    reads: 0,
    acknowledged: 0,
    again: { bytes: 0, ofLastSecond: 0 },
    wrong: [],
  };
  readonly #site: TwoReleases;
  readonly #link: ShapedLink;
  readonly #profile: BrowserProfile;
  readonly #random: () => number;
  #past: Past | undefined;
  /** The last change that was acknowledged, by image. */
  readonly #acknowledged = new Map<string, number>();

  private constructor(site: TwoReleases, link: ShapedLink, profile: BrowserProfile, seed: number) {
    this.#site = site;
    this.#link = link;
    this.#profile = profile;
    this.#random = seededRandom(seed);
  }

  static async run({ seed, kills }: KillsOptions): Promise<KillsFigures> {
    await using site = await TwoReleases.start(seed);
    await using link = await ShapedLink.start({ shape: slow, targetPort: site.origin.port });
    const profile = await BrowserProfile.create();
    try {
      const run = new Kills(site, link, profile, seed);
      for (let kill = 0; kill < kills; kill++) await run.#live(await run.#choosePhase());
      await run.#look();
      return run.figures;
    } finally {
      await profile.remove();
    }
  }

  async #choosePhase(): Promise<Phase> {
    const phase = phases[Math.floor(this.#random() * phases.length)]!;
    // Where all is here nothing is loaded, or sealed.
    return (phase === 'load' || phase === 'seal') && (await this.#isComplete()) ? 'evict' : phase;
  }

  async #live(phase: Phase): Promise<void> {
    const moment = this.#random();
    const seed = Math.floor(this.#random() * 2 ** 31);
    const link = this.#link;
    await link.reshape(phase === 'cull' ? fast : slow);
    await link.reset();
    const context = await this.#profile.launch();
    const page = context.pages()[0] ?? (await context.newPage());
    if (phase === 'cull') await limitQuota(context, page, link.url);
    const life: Life = { phase, seed, image: undefined, over: false };
    const acting = this.#act(page, life).catch((error) => {
      if (!life.over) this.#wrong(life, String(error));
    });
    // `load`: at any moment from the navigation on. Else when the page is at it.
    if (phase === 'load') await pause(100 + moment * 3000);
    else {
      const late = pause(launchMs, 'late', { ref: false });
      if ((await Promise.race([acting, late])) === 'late') this.#wrong(life, 'it hangs');
      await pause(moment * 1000);
    }
    await this.#ask(page, life);
    life.over = true;
    const killedAt = Date.now();
    await this.#profile.kill();
    await acting;
    this.figures.kills[phase] += 1;
    await this.#compare(life, killedAt);
  }

  async #act(page: Page, life: Life): Promise<void> {
    const { phase, seed } = life;
    await page.goto(`${this.#link.url}/`);
    await launched(page);
    const { image, loader } = await page.evaluate(() => window.sluice.state());
    life.image = image;
    this.figures.mounted += 1;
    const { storage, lastError } = loader;
    if (storage !== 'opfs' && phase !== 'cull') this.#wrong(life, 'nothing is stored');
    if (lastError && lastError.code !== 'ENOSPC')
      this.#wrong(life, `${lastError.code}: ${lastError.message}`);
    const acknowledged = this.#acknowledged.get(image) ?? 0;
    const lost = acknowledged > 0 ? await lostChange(page, acknowledged) : undefined;
    if (lost) this.#wrong(life, lost);
    if (phase === 'cull') {
      const next = this.#site.other(image);
      await this.#site.deploy(next);
      await changeRelease(page, this.#site);
      life.image = next.site.image;
    }
    const files = this.#site.of(life.image).app.seeded;
    await startReading(page, { files, seed, readers: 2, pauseMs: 30, deadlineMs: 20_000 });
    if (phase === 'evict')
      await evictOnAndOn(
        page,
        files.slice(0, 30).map(({ path }) => path),
      );
    if (phase === 'checkpoint') await changeOnAndOn(page, acknowledged);
  }

  /** What the page has seen so far; a page that is only coming has seen nothing. */
  async #ask(page: Page, life: Life): Promise<void> {
    if (!life.image) return;
    const asked = Promise.all([takeReads(page), page.evaluate(() => window.acknowledged ?? 0)]);
    const answer = await Promise.race([asked.catch(() => undefined), pause(1000, undefined, { ref: false })]);
    if (!answer) return;
    const [{ reads, wrong, brokenOff }, acknowledged] = answer;
    this.figures.reads += reads;
    // Of what is evicted while it is streamed the rest is broken off, for everybody to see.
    if (brokenOff > 0 && life.phase !== 'evict') this.#wrong(life, `${brokenOff} reads were broken off`);
    for (const words of wrong) this.#wrong(life, words);
    if (acknowledged === 0) return;
    const before = this.#acknowledged.get(life.image) ?? 0;
    this.figures.acknowledged += acknowledged - before;
    this.#acknowledged.set(life.image, acknowledged);
  }

  /** With the life before. */
  async #compare(life: Life, killedAt: number): Promise<void> {
    const { exchanges, slices, since, sliceMs } = await this.#link.log();
    const fetched = arrivedRanges(exchanges);
    const before = this.#past;
    const { again } = this.figures;
    // What is given back in this life comes again by right.
    const isOfOne = !life.image || !before?.image || life.image === before.image;
    if (before && isOfOne && life.phase !== 'evict') {
      const both = [...before.fetched, ...fetched];
      const bytes = twiceFetched(both) - twiceFetched(before.fetched) - twiceFetched(fetched);
      if (bytes > again.bytes) Object.assign(again, { bytes, ofLastSecond: before.ofLastSecond });
      if (bytes > before.ofLastSecond)
        this.#wrong(life, `${bytes} bytes came again, ${before.ofLastSecond} had come in the last second`);
    }
    const lastSecond = slices.slice(Math.max(0, Math.floor((killedAt - 1000 - since) / sliceMs)));
    this.#past = {
      image: life.image ?? before?.image,
      // The same.
      fetched: life.phase === 'evict' || life.phase === 'cull' ? [] : fetched,
      ofLastSecond: lastSecond.reduce((sum, bytes) => sum + bytes, 0),
    };
  }

  async #isComplete(): Promise<boolean> {
    const image = this.#past?.image;
    const store = image === undefined ? undefined : await killedStore(this.#profile.dir);
    if (image === undefined || !store) return false;
    return [...this.#site.of(image).published.tables.keys()].every((sha256) => store.sealed(sha256));
  }

  /** In the end: everything is there, and right. */
  async #look(): Promise<void> {
    await this.#link.reshape(fast);
    const context = await this.#profile.launch();
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(`${this.#link.url}/`);
    await launched(page);
    const image = await page.evaluate(async () => {
      // A mount that evicted goes on in the next page.
      await window.sluice.whenComplete();
      return (await window.sluice.state()).image;
    });
    const { app, published } = this.#site.of(image);
    const { wrong } = this.figures;
    const { bad } = await page.evaluate(() => window.sluice.scrub());
    for (const finding of bad) wrong.push(`the scrub found ${JSON.stringify(finding)}`);
    const stored = await storedBlobs(page);
    for (const name of published.tables.keys())
      if (stored[name] !== name) wrong.push(`blob ${name} is not what it is called`);
    for (const file of await wrongFiles(page, app.seeded)) wrong.push(file);
  }

  #wrong({ phase }: Life, words: string): void {
    const number = Object.values(this.figures.kills).reduce((sum, count) => sum + count, 1);
    this.figures.wrong.push(`kill ${number} (${phase}): ${words}`);
  }
}

interface Life {
  readonly phase: Phase;
  readonly seed: number;
  /** That the page runs. */
  image: string | undefined;
  over: boolean;
}
