import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { findChromium } from '../scripts/find-chromium.mjs';
import { killTree } from '../test/support/process-tree.ts';
import { tempDir } from '../test/support/temp-dir.ts';

/** Answers of a server that a {@link BarePage} works through: to be among its routes. */
type Routes = Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>>;

/** For the pages that it may show: asks what to do, does it, tells what came of it. */
export const bareScript = `<script type="module">
for (;;) {
  const answer = await fetch('/bare/next').catch(() => undefined);
  if (answer?.status !== 200) continue;
  const { source, argument } = await answer.json();
  let outcome;
  try { outcome = { value: await (0, eval)('(' + source + ')')(argument) }; }
  catch (error) { outcome = { error: String(error) }; }
  await fetch('/bare/done', { method: 'POST', body: JSON.stringify(outcome) });
}
</script>`;

const deadlineMs = 120_000;

/**
 * A page in a Chromium of its own that nobody inspects. DevTools, by which other pages are driven, tell of every piece of every answer: of 64 MiB
 * through a stream they took a tenth of all processor time. This page is driven through the server that it comes from.
 */
export class BarePage {
  readonly #waiting: { readonly task: string; readonly done: (outcome: Outcome) => void }[] = [];
  #running: ((outcome: Outcome) => void) | undefined;
  #idle: ServerResponse | undefined;
  #browser: ChildProcess | undefined;
  #profile: Awaited<ReturnType<typeof tempDir>> | undefined;

  /** For the server. */
  readonly routes: Routes = {
    '/bare/next': (_request, response) => {
      // A page that asks anew has forgotten what it was doing: it was reloaded.
      this.#idle?.writeHead(204).end();
      this.#idle = response;
      response.once('close', () => {
        if (this.#idle === response) this.#idle = undefined;
      });
      this.#next();
    },
    '/bare/done': (request, response) => {
      void text(request).then((body) => {
        response.end();
        this.#running?.(JSON.parse(body) as Outcome);
        this.#running = undefined;
      });
    },
  };

  /** Starts the browser, on a fresh profile, with the page at `url`. */
  async open(url: string): Promise<void> {
    const executable = await findChromium();
    if (!executable) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
    this.#profile = await tempDir('bare');
    const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-quic'];
    const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
    const profile = `--user-data-dir=${this.#profile.path}/profile`;
    this.#browser = spawn(executable, [...args, ...quiet, profile, url], { stdio: 'ignore' });
    await once(this.#browser, 'spawn');
  }

  /** Runs a function, given by its source, in the page as soon as it is there. Throws what it throws, as words. */
  async run<A, T>(work: (argument: A) => Promise<T>, argument: A): Promise<T> {
    const task = JSON.stringify({ source: String(work), argument });
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer of the page: ${work}`)), deadlineMs);
      const done = (outcome: Outcome): void => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.#waiting.push({ task, done });
      this.#next();
    });
    if (outcome.error !== undefined) throw new Error(outcome.error);
    return outcome.value as T;
  }

  async close(): Promise<void> {
    if (!this.#profile) return;
    await killTree(this.#profile.path);
    await this.#profile.remove();
  }

  #next(): void {
    if (!this.#idle) return;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#running = next.done;
    this.#idle.setHeader('Content-Type', 'application/json').end(next.task);
    this.#idle = undefined;
  }
}

interface Outcome {
  readonly value?: unknown;
  readonly error?: string;
}
