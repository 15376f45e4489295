import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { launchChromium } from './chromium.ts';
import { ContextLog } from './context-log.ts';
import { launchFirefox } from './firefox/firefox.ts';
import { killTree } from './process-tree.ts';
import { tempDir } from './temp-dir.ts';

/** The browsers that the tests can drive. */
export type Engine = 'chromium' | 'firefox';

const LAUNCHERS = { chromium: launchChromium, firefox: launchFirefox };

/**
 * A browser's profile in a temporary directory, and at most one browser process tree at a time that uses it. The
 * profile (OPFS, caches, service workers) outlives the processes, as a visitor's does.
 */
export class BrowserProfile {
  readonly engine: Engine;
  readonly dir: string;
  readonly #temp: string;
  readonly #log: ContextLog;
  readonly #remove: () => Promise<void>;
  #context: BrowserContext | undefined;

  private constructor(engine: Engine, log: ContextLog, parent: string, remove: () => Promise<void>) {
    this.engine = engine;
    this.#log = log;
    this.dir = join(parent, 'profile');
    this.#temp = join(parent, 'temp');
    this.#remove = remove;
  }

  /** What its browsers complain about is added to `log`. */
  static async create(engine: Engine = 'chromium', log = new ContextLog()): Promise<BrowserProfile> {
    const { path, remove } = await tempDir('profile');
    const profile = new BrowserProfile(engine, log, path, remove);
    await mkdir(profile.#temp);
    return profile;
  }

  /** Whether a browser runs with this profile. */
  get isRunning(): boolean {
    return this.#context !== undefined;
  }

  /** Starts the browser with this profile. */
  async launch(): Promise<BrowserContext> {
    if (this.#context) throw new Error('this profile is in use: close() or kill() first');
    const context = await LAUNCHERS[this.engine](this.dir, this.#temp);
    this.#context = context;
    context.once('close', () => {
      if (this.#context === context) this.#context = undefined;
    });
    this.#log.watch(context);
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
    if (await killTree(this.dir)) await closed;
  }

  /** Ends the browser, whatever state it is in, and deletes the profile. */
  async remove(): Promise<void> {
    await this.kill();
    await this.#remove();
  }
}
