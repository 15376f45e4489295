import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { findChromium, findFirefox } from '../../scripts/find-browsers.mjs';
import { smallSite } from '../browser/small-site.ts';
import { Origin } from '../support/origin.ts';
import { killTree } from '../support/process-tree.ts';
import { noise } from '../support/random.ts';
import { RoughLink } from '../support/rough-link.ts';
import { tempDir } from '../support/temp-dir.ts';
import { tortureTarget } from './target.ts';

const content = noise(8, 8_000_000);

/** Reads one file whole, over a link that takes long for it, and reports what came. */
const script = `
const report = (what) => fetch('/report', { method: 'POST', body: what });
(async () => {
  while (!window.sluice || !navigator.serviceWorker.controller) await new Promise((r) => setTimeout(r, 50));
  window.sluice.readTimeoutMs = 3_600_000;
  await report('launched');
  const startedAt = performance.now();
  let bytes = 0;
  try {
    const response = await fetch('zz-long.pak');
    const parts = [];
    for await (const part of response.body) { parts.push(part); bytes += part.length; }
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer()));
    await report(response.status + ' ' + Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''));
  } catch (error) {
    await report(error + ' after ' + Math.round((performance.now() - startedAt) / 1000) + ' s and ' + bytes + ' bytes');
  }
})();
`;

/**
 * A browser ends what an event of a service worker does too long, but Chromium not where an inspector is attached, as it is in all other tests: this browser is
 * on its own, and its page reports over HTTP.
 */
export const longAnswer = tortureTarget({
  summary:
    'one answer that comes for longer than a service worker may work on an event, in a browser on its own',
  options: {
    seconds: { default: 400, means: 'how long it is to take; service workers have 300, in Firefox 60' },
    firefox: { default: 0, means: '1: in Firefox' },
  },
  run: async ({ seconds, firefox }) => {
    await using site = await smallSite(
      {
        'index.html': '<!doctype html><title>long</title><script src="app.js"></script>',
        'app.js': script,
        'zz-long.pak': content,
      },
      { codec: 'none', blobSize: 1024 * 1024 },
    );
    const reports: string[] = [];
    let onReport = (): void => {};
    await using origin = await Origin.start({
      mounts: { '/': site.dir },
      routes: {
        '/report': (req, res) => {
          req.setEncoding('utf8');
          req.on('data', (text: string) => reports.push(text));
          req.on('end', () => {
            res.end();
            onReport();
          });
        },
      },
      // What is read before the app runs would come too soon.
      fault: ({ path }) =>
        path.endsWith('.bin') && !path.includes(site.image) && reports.length === 0
          ? { type: 'throttle', bytesPerSecond: 20_000 }
          : undefined,
    });
    await using link = await RoughLink.start({
      targetPort: origin.port,
      bytesPerSecond: Number.POSITIVE_INFINITY,
      fault: () => undefined,
    });
    const { path: profile, remove } = await tempDir('long');
    const { executable, args } = await (firefox === 1 ? aFirefox(profile) : aChromium(profile));
    spawn(executable, [...args, `${link.url}/`], { stdio: 'ignore' });
    const arrived = (count: number, withinMs: number): Promise<void> =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`report ${count} did not come within ${withinMs} ms`)),
          withinMs,
        );
        onReport = () => {
          if (reports.length < count) return;
          clearTimeout(timer);
          resolve();
        };
        onReport();
      });
    try {
      await arrived(1, 60_000);
      link.options = { ...link.options, bytesPerSecond: content.length / seconds };
      const startedAt = performance.now();
      await arrived(2, 2 * seconds * 1000);
      const right = `200 ${createHash('sha256').update(content).digest('hex')}`;
      console.log(
        `after ${Math.round((performance.now() - startedAt) / 1000)} s: ${reports[1] === right ? 'whole, and right' : reports[1]}`,
      );
      return reports[1] === right;
    } finally {
      await killTree(profile);
      await remove();
    }
  },
});

interface BrowserCommand {
  readonly executable: string;
  readonly args: readonly string[];
}

async function aChromium(profile: string): Promise<BrowserCommand> {
  const executable = await findChromium();
  if (!executable) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
  const plain = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'];
  return { executable, args: [...plain, `--user-data-dir=${profile}`, '--remote-debugging-port=0'] };
}

async function aFirefox(profile: string): Promise<BrowserCommand> {
  const executable = findFirefox();
  if (!executable) throw new Error('no Firefox: run `node scripts/ensure-installed.mjs --browsers`');
  return { executable, args: ['--headless', '--no-remote', '--profile', profile] };
}
