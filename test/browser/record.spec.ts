import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findChromium } from '../../scripts/find-browsers.mjs';
import { inspect } from '../../src/pack/index.ts';
import { expect, test } from '../support/browser.ts';
import { Origin } from '../support/origin.ts';
import { noise } from '../support/random.ts';
import { textRoutes } from '../support/routes.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type AppFiles, smallSite } from './small-site.ts';

const cli = resolve(import.meta.dirname, '../../dist/node/cli.js');

test.skip(({ engine }) => engine !== 'chromium', 'sluice record drives a Chromium');

/** Loads a script, a part of a large file and some text; and `later()` another one. */
const app: AppFiles = {
  'index.html': '<!doctype html><title>loading</title><script type="module" src="z-start.js"></script>',
  'z-start.js': `
    globalThis.later = () => setTimeout(() => fetch('n-later.txt'), 50);
    await fetch('large.bin', { headers: { Range: 'bytes=0-9' } });
    await (await fetch('m-text.txt')).text();
    document.title = 'ready';`,
  'm-text.txt': 'some text '.repeat(1000),
  'n-later.txt': 'no launch any more '.repeat(1000),
  'a-never.txt': 'never read '.repeat(10_000),
  'large.bin': noise(1, 3_000_000),
};

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line, with temporary files where the test sees what is left of them. */
async function record(
  args: readonly string[],
  temp: string,
  onStart: (kill: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<Result> {
  const child = spawn(process.execPath, [cli, 'record', ...args], {
    env: { ...process.env, TMPDIR: temp, CHROME_PATH: await findChromium() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (part) => {
    text.stdout += part;
  });
  child.stderr.on('data', (part) => {
    text.stderr += part;
  });
  onStart((signal) => child.kill(signal));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { status, ...text };
}

test('a launch is recorded, and the next build has it in front', async () => {
  await using site = await smallSite(app);
  const { path: temp, remove } = await tempDir('record');
  try {
    const out = join(temp, 'trace.json');
    // The app reads on as soon as the recorder has seen that it is ready, and before that asks for the log.
    const ready = "document.title === 'ready' && later() > 0";
    const { status, stdout, stderr } = await record([site.dir, '--out', out, '--ready', ready], temp);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('launch  4 files');
    const trace = JSON.parse(await readFile(out, 'utf8'));
    expect(trace.image).toBe(site.image);
    const paths = [...new Set<string>(trace.reads.map(({ path }: { path: string }) => path))];
    expect(paths).toEqual(['index.html', 'z-start.js', 'large.bin', 'm-text.txt']);

    // Of the large file the one block that was read, as bytes of the file: what holds for other images, too.
    const large = trace.reads.filter(({ path }: { path: string }) => path === 'large.bin');
    expect(large).toEqual([expect.objectContaining({ start: 0, end: 65_536, size: 3_000_000 })]);

    await using next = await smallSite(app, { traces: [trace] });
    expect(next.launchFiles).toBe(4);
    const { launchSet } = await inspect(next.dir);
    expect(launchSet.files).toBe(4);
    expect(launchSet.bytes).toBeGreaterThan(65_536);
    expect(launchSet.bytes).toBeLessThan(70_000);
  } finally {
    await remove();
  }
});

test('nothing that was read is missing, however late the service worker would tell of it', async () => {
  await using site = await smallSite(app);
  const script = join(site.dir, 'sw.js');
  const late =
    'const later = setTimeout; setTimeout = (work, ms) => later(work, ms === 250 ? 60_000 : ms);\n';
  await writeFile(script, late + (await readFile(script, 'utf8')));
  const { path: temp, remove } = await tempDir('record');
  try {
    const args = [site.dir, '--out', join(temp, 'trace.json'), '--ready', "document.title === 'ready'"];
    const { status, stdout } = await record(args, temp);
    expect([status, stdout]).toEqual([0, expect.stringContaining('launch  4 files')]);
  } finally {
    await remove();
  }
});

test('without --ready the launch ends when nothing was read for a while; a URL does as well', async () => {
  await using site = await smallSite(app);
  await using origin = await Origin.start({ mounts: { '/sub/': site.dir } });
  const { path: temp, remove } = await tempDir('record');
  try {
    const out = join(temp, 'trace.json');
    const { status } = await record([`${origin.url}/sub/`, '--out', out, '--quiet', '1'], temp);
    expect(status).toBe(0);
    expect(await readFile(out, 'utf8')).toContain('m-text.txt');
  } finally {
    await remove();
  }
});

test('what goes wrong is said, with what to do', async () => {
  await using site = await smallSite(app);
  await using origin = await Origin.start({
    mounts: {},
    routes: textRoutes({ '/': ['text/html', 'plain'] }),
  });
  const { path: temp, remove } = await tempDir('record');
  try {
    const out = ['--out', join(temp, 'trace.json')];
    // Long enough for three launches on a busy machine, and they wait for all of it.
    const inVain = (...args: string[]) => record([...args, ...out, '--timeout', '12'], temp);
    const [never, wrong, plain] = await Promise.all([
      inVain(site.dir, '--ready', 'false'),
      inVain(site.dir, '--ready', 'nonsense.at.all'),
      inVain(`${origin.url}/`),
    ]);
    expect(never).toMatchObject({ status: 1, stdout: '' });
    expect(never.stderr).toMatch(/was not ready after 12 s: false was not true \(not-ready\)\n.*--ready/);
    expect(wrong.stderr).toMatch(/ReferenceError: nonsense/);
    expect(plain.stderr).toMatch(/is it a site that sluice made\? \(not-ready\)/);
  } finally {
    await remove();
  }
});

test('a launch of which no read is told is no trace', async () => {
  const script = `sluice.setReadLog(0).then(() => { document.title = 'ready'; });`;
  await using site = await smallSite({ ...app, 'z-start.js': script });
  const { path: temp, remove } = await tempDir('record');
  try {
    const args = [site.dir, '--out', join(temp, 'trace.json'), '--ready', "document.title === 'ready'"];
    const { status, stderr } = await record(args, temp);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/is its read log off\? \(not-ready\)/)]);
    expect(await readdir(temp)).toEqual([]);
  } finally {
    await remove();
  }
});

test('no app, no browser, no site: said, too', async () => {
  await using site = await smallSite(app);
  const { path: temp, remove } = await tempDir('record');
  try {
    const out = ['--out', join(temp, 'trace.json')];
    const none = await record([site.dir, ...out, '--browser', join(temp, 'none')], temp);
    expect(none.stderr).toMatch(/\(no-browser\)\n.*Install/);
    const notOne = await record([site.dir, ...out, '--browser', process.execPath], temp);
    expect(notOne.stderr).toMatch(/ended: .*\(disconnected\)/);
    expect((await record([site.dir], temp)).status).toBe(2);
    expect((await record([join(temp, 'nothing'), ...out], temp)).stderr).toContain('(ENOENT)');
  } finally {
    await remove();
  }
});

test('what cannot come true is said at once: a server that does not answer, a condition that is no JavaScript', async () => {
  await using site = await smallSite(app);
  const origin = await Origin.start({ mounts: {} });
  await origin.stop();
  const { path: temp, remove } = await tempDir('record');
  try {
    const out = ['--out', join(temp, 'trace.json')];
    // The timeout is longer than the test's.
    const gone = await record([`${origin.url}/`, ...out, '--timeout', '3600'], temp);
    expect(gone).toMatchObject({ status: 1, stdout: '' });
    expect(gone.stderr).toMatch(/cannot be opened: net::ERR_CONNECTION_REFUSED \(no-page\)\n.*server/);
    const odd = await record([site.dir, ...out, '--timeout', '3600', '--ready', 'is it ready'], temp);
    expect(odd).toMatchObject({ status: 2, stdout: '' });
    expect(odd.stderr).toMatch(/--ready is no JavaScript expression: \S/);
  } finally {
    await remove();
  }
});

test('SIGINT ends the browser and leaves nothing', async () => {
  await using site = await smallSite(app);
  const { path: temp, remove } = await tempDir('record');
  try {
    const args = [site.dir, '--out', join(temp, 'trace.json'), '--ready', 'false'];
    const { status } = await record(args, temp, async (kill) => {
      // The profile is there, so the browser runs, or is about to.
      await expect.poll(async () => (await readdir(temp)).length).toBeGreaterThan(0);
      kill('SIGINT');
    });
    expect(status).toBe(130);
    expect(await readdir(temp)).toEqual([]);
  } finally {
    await remove();
  }
});
