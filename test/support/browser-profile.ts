import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrowserContext, chromium } from '@playwright/test';
import { findChromium } from '../../scripts/find-chromium.mjs';
import { ContextLog } from './context-log.ts';
import { killTree } from './process-tree.ts';
import { tempDir } from './temp-dir.ts';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A test has no finger to allow sound with.
  '--autoplay-policy=no-user-gesture-required',
];

/**
 * A Chromium profile in a temporary directory, and at most one browser process tree at a time that uses it. The
 * profile (OPFS, caches, service workers) outlives the processes, as a visitor's does.
 */
export class BrowserProfile {
  readonly dir: string;
  readonly #temp: string;
  /** What all browsers launched so far have reported. */
  readonly log = new ContextLog();
  readonly #remove: () => Promise<void>;
  #context: BrowserContext | undefined;

  private constructor(parent: string, remove: () => Promise<void>) {
    this.dir = join(parent, 'profile');
    this.#temp = join(parent, 'temp');
    this.#remove = remove;
  }

  static async create(): Promise<BrowserProfile> {
    const { path, remove } = await tempDir('profile');
    const profile = new BrowserProfile(path, remove);
    await mkdir(profile.#temp);
    return profile;
  }

  /** Starts Chromium with this profile. It draws WebGL in software. */
  async launch(): Promise<BrowserContext> {
    if (this.#context) throw new Error('this profile is in use: close() or kill() first');
    const executablePath = await findChromium();
    if (!executablePath) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
    const context = await chromium.launchPersistentContext(this.dir, {
      executablePath,
      headless: true,
      args: ARGS,
      // A killed browser leaves its sockets and scratch files behind: let them go with the profile.
      env: { ...process.env, TMPDIR: this.#temp },
    });
    this.#context = context;
    context.once('close', () => {
      if (this.#context === context) this.#context = undefined;
    });
    this.log.watch(context);
    return context;
  }

  /** Ends the browser as a user does. */
  async close(): Promise<void> {
    await this.#context?.close();
  }

  /** SIGKILLs every process of the browser at once; the profile stays as it was at that moment. */
  async kill(): Promise<void> {
    const context = this.#context;
    if (!context) return;
    const closed = new Promise((resolve) => context.once('close', resolve));
    await killTree(this.dir);
    await closed;
  }

  /** Ends the browser, whatever state it is in, and deletes the profile. */
  async remove(): Promise<void> {
    await this.kill();
    await this.#remove();
  }
}
