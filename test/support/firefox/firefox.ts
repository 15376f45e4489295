import { request } from 'node:http';
import { join } from 'node:path';
import { type Browser, type BrowserContext, firefox } from '@playwright/test';
import { findFirefox } from '../../../scripts/find-browsers.mjs';
import { tempDir } from '../temp-dir.ts';

/** What a visitor's Firefox does not have to do while it is tested. */
const PREFS = {
  // A test has no finger to allow sound with.
  'media.autoplay.default': 0,
  // Nothing is fetched that the page did not ask for.
  'app.normandy.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.provider.mozilla.updateURL': '',
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'nimbus.rollouts.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
};

/** The control socket of the launcher of each context. */
const controls = new WeakMap<BrowserContext, string>();

/**
 * Starts the stock Firefox on the profile in `dir`, its scratch files in `temp`, driven by WebDriver BiDi through
 * Playwright's own interface (see launcher.mjs).
 */
export async function launchFirefox(dir: string, temp: string): Promise<BrowserContext> {
  const control = controlIn(temp);
  const context = await firefox.launchPersistentContext(dir, options(temp, control));
  controls.set(context, control);
  return context;
}

/**
 * One Firefox for many tests, since its start costs seconds: each {@link SharedFirefox.lend} gives a container of its own, with
 * storage and service workers that no other sees.
 */
export class SharedFirefox {
  #running: { readonly browser: Browser; readonly control: string; remove(): Promise<void> } | undefined;

  async lend(): Promise<BrowserContext> {
    this.#running ??= await this.#start();
    const { browser, control } = this.#running;
    const context = await browser.newContext();
    controls.set(context, control);
    return context;
  }

  /** With all that it has stored. */
  takeBack(context: BrowserContext): Promise<void> {
    return context.close();
  }

  async stop(): Promise<void> {
    await this.#running?.browser.close();
    await this.#running?.remove();
  }

  async #start() {
    const { path, remove } = await tempDir('firefox');
    const control = controlIn(path);
    return { browser: await firefox.launch(options(path, control)), control, remove };
  }
}

function controlIn(temp: string): string {
  return join(temp, `control-${process.pid}-${performance.now()}`);
}

function options(temp: string, control: string) {
  const path = findFirefox();
  if (!path) throw new Error('no Firefox: run `node scripts/ensure-installed.mjs --browsers`');
  return {
    channel: 'moz-firefox',
    executablePath: join(import.meta.dirname, 'launcher.mjs'),
    headless: true,
    // Lets the control socket reach what belongs to the browser and not to a page.
    args: ['--remote-allow-system-access'],
    firefoxUserPrefs: PREFS,
    env: { ...process.env, TMPDIR: temp, SLUICE_FIREFOX: path, SLUICE_FIREFOX_CONTROL: control },
  };
}

/** Whether `context` is one of Firefox. */
export function isFirefox(context: BrowserContext): boolean {
  return controls.has(context);
}

/**
 * Evaluates an expression with the rights of the browser itself (its `Services`, `Cc`, `Ci`), and waits for its
 * promise. The value must be a string. Throws what the expression throws.
 */
export async function inBrowser(context: BrowserContext, expression: string): Promise<string> {
  const { contexts } = await command<{ contexts: { context: string }[] }>(
    context,
    'browsingContext.getTree',
    { 'moz:scope': 'chrome' },
  );
  const answer = await command<{
    result?: { value: string };
    exceptionDetails?: { text: string };
  }>(context, 'script.evaluate', {
    expression,
    target: { context: contexts[0]!.context },
    awaitPromise: true,
  });
  if (!answer.result) throw new Error(`in Firefox: ${answer.exceptionDetails?.text}`);
  return answer.result.value;
}

async function command<T>(context: BrowserContext, method: string, params: unknown): Promise<T> {
  const socketPath = controls.get(context);
  if (!socketPath) throw new Error('this context is not one of a running Firefox');
  const text = await new Promise<string>((resolve, reject) => {
    const timeout = AbortSignal.timeout(60_000);
    request({ socketPath, method: 'POST', signal: timeout }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk;
      resolve(body);
    })
      .on('error', reject)
      .end(JSON.stringify({ method, params }));
  });
  const answer = JSON.parse(text) as { type: string; message?: string; result: T };
  if (answer.type !== 'success') throw new Error(`${method}: ${answer.message}`);
  return answer.result;
}
