import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { findOnPath } from '../../../scripts/find-browsers.mjs';
import { freePort } from '../free-port.ts';
import { WebDriver } from './web-driver.ts';

const startMs = 60_000;
const retryMs = 100;

/** What is missing to start one, as a remedy; undefined when nothing is. */
export async function webkitMissing(): Promise<string | undefined> {
  const isThere = (await findMiniBrowser()) && findOnPath('WebKitWebDriver') && findOnPath('Xvfb');
  return isThere ? undefined : 'no WebKitGTK (Debian: apt-get install webkit2gtk-driver xvfb)';
}

/** WebKitGTK's MiniBrowser, as it is, on a screen that nobody sees. Nothing of what it keeps outlives it. */
export class WebKitBrowser implements AsyncDisposable {
  readonly driver: WebDriver;
  readonly #processes: readonly ChildProcess[];

  private constructor(driver: WebDriver, processes: readonly ChildProcess[]) {
    this.driver = driver;
    this.#processes = processes;
  }

  /** Throws with what is missing, or when it does not start in time. */
  static async start(): Promise<WebKitBrowser> {
    const missing = await webkitMissing();
    if (missing) throw new Error(missing);
    const processes: ChildProcess[] = [];
    try {
      // It chooses a display that is free, and writes its number there.
      const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'], {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      });
      processes.push(screen);
      const display = await firstLine(screen.stdio[3] as Readable);
      const port = await freePort();
      const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
        stdio: 'ignore',
        detached: true, // So that its browser can be killed with it.
        env: { ...process.env, DISPLAY: `:${display}` },
      });
      processes.push(driver);
      const url = `http://127.0.0.1:${port}`;
      await answers(url);
      const binary = await findMiniBrowser();
      const browserOptions = { binary, args: ['--automation'] };
      return new WebKitBrowser(
        await WebDriver.begin(url, { 'webkitgtk:browserOptions': browserOptions }),
        processes,
      );
    } catch (error) {
      killAll(processes);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.driver.end();
    } finally {
      killAll(this.#processes);
    }
  }
}

function killAll(processes: readonly ChildProcess[]): void {
  for (const { pid, spawnargs } of processes.toReversed()) {
    if (pid === undefined) continue;
    try {
      process.kill(spawnargs[0] === 'WebKitWebDriver' ? -pid : pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // It has ended by itself.
    }
  }
}

/** Debian keeps it beside the library, in a folder of the machine's architecture. */
async function findMiniBrowser(): Promise<string | undefined> {
  const folders = existsSync('/usr/lib') ? await readdir('/usr/lib') : [];
  const places = ['', ...folders].flatMap((folder) =>
    ['webkitgtk-6.0', 'webkit2gtk-4.1', 'webkit2gtk-4.0'].map((api) =>
      join('/usr/lib', folder, api, 'MiniBrowser'),
    ),
  );
  return places.find(existsSync);
}

async function firstLine(stream: Readable): Promise<string> {
  const [data] = await once(stream, 'data', { signal: AbortSignal.timeout(startMs) });
  return String(data).trim();
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + startMs;
  for (;;) {
    try {
      const { ok } = await fetch(`${url}/status`, { signal: AbortSignal.timeout(startMs) });
      if (ok) return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error('WebKitWebDriver does not answer', { cause: error });
    }
    await pause(retryMs);
  }
}
