import { findChromium } from '../scripts/find-browsers.mjs';
import type { TestApp } from '../test/apps/test-app.ts';
import { runCli } from './run-cli.ts';
import { defaultServerKind, startServer } from './server.ts';

/** The app's own sign, as an expression that can be asked again and again. */
const ready = `window.__ready && (window.__ready.then(() => { window.__isReady = true; }), window.__isReady)`;

/** What `sluice record` sees of a launch of the site, on a server of this machine without a link in front. */
export async function recordTrace(app: TestApp, site: string, file: string): Promise<void> {
  const browser = await findChromium();
  if (!browser) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
  await using server = await startServer(defaultServerKind(), site, 'gzip');
  const url = `http://127.0.0.1:${server.port}/${app.entry}`;
  await runCli(['record', url, '--out', file, '--ready', ready, '--browser', browser]);
}
