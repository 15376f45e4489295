import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { readTraceFile } from '../../src/cli/trace-file.ts';
import { build } from '../../src/pack/index.ts';
import { contents, expect, makeTree, prose, test } from '../pack/fixture.ts';
import { noise } from '../support/random.ts';

// The command line as it is installed; `npm test` builds it first.
const cli = resolve(import.meta.dirname, '../../dist/node/cli.js');

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: readonly string[],
  options: SpawnOptions = {},
): { child: ChildProcess; result: Promise<Result> } {
  const child = spawn(process.execPath, [cli, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const result = new Promise<Result>((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout!.on('data', (text) => {
      stdout += text;
    });
    child.stderr!.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, result };
}

const sluice = (...args: string[]): Promise<Result> => start(args).result;

/** Resolves when a line of the child's stdout matches. */
function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (part) => {
      text += part;
      const line = text.split('\n').find((one) => pattern.test(one));
      if (line !== undefined && text.endsWith('\n')) resolve(line);
    });
    child.on('close', () => reject(new Error(`ended without such a line: ${text}`)));
  });
}

const app = {
  'index.html': '<title>x</title>',
  'a.js': prose(1, 400_000),
  'b.bin': noise(1, 200_000),
  'dir/': '',
};

test('build, fsck, inspect, extract', async ({ dir }) => {
  const source = makeTree(join(dir, 'app'), app);
  const site = join(dir, 'site');
  const built = await sluice('build', source, '--out', site, '--codec', 'lz4', '--blob-size', '512k');
  expect(built).toMatchObject({ status: 0, stderr: '' });
  expect(built.stdout).toMatch(/^files {3}3 in 2 directories, 600 kB$/m);

  const clean = await sluice('fsck', site);
  expect(clean).toMatchObject({ status: 0, stdout: expect.stringMatching(/^clean: 3 files/) });

  const shown = await sluice('inspect', site);
  expect(shown).toMatchObject({ status: 0, stdout: expect.stringMatching(/^lz4 +\d+ blocks?,/m) });
  const inspected = JSON.parse((await sluice('inspect', site, '--json')).stdout);
  const { image } = inspected;
  expect(inspected).toMatchObject({
    files: 3,
    directories: 1,
    logicalBytes: 600_016,
    launchSet: { files: 0 },
  });
  expect(inspected.codecs.raw.blocks).toBe(4 + 1);
  expect(JSON.parse(readFileSync(join(site, 'sluice.json'), 'utf8')).bootstrap.sha256).toBe(image);

  const again = join(dir, 'again');
  expect(await sluice('extract', site, '--out', again)).toMatchObject({ status: 0 });
  expect(contents(again)).toEqual(contents(source));

  const blob = readdirSync(site).find((name) => name.endsWith('.bin') && !name.startsWith(image))!;
  truncateSync(join(site, blob), 1000);
  const broken = await sluice('fsck', site);
  expect(broken.status).toBe(1);
  expect(broken.stdout).toContain(`${blob}: the blob is truncated`);
  expect(broken.stdout).toContain('damaged: b.bin');
  const failed = await sluice('extract', site, '--out', join(dir, 'not'));
  expect(failed).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^sluice: .*\(integrity\)\n {2}\S/),
  });
  expect(existsSync(join(dir, 'not'))).toBe(false);
});

test('fsck names every path that a bad block hurts', async ({ dir }) => {
  const names = Array.from({ length: 50 }, (_, i) => `part-${String(i).padStart(2, '0')}.txt`);
  const source = makeTree(join(dir, 'app'), Object.fromEntries(names.map((name) => [name, `in ${name}`])));
  const site = join(dir, 'site');
  expect(await sluice('build', source, '--out', site)).toMatchObject({ status: 0 });
  const { blobs } = JSON.parse((await sluice('inspect', site, '--json')).stdout);
  expect(blobs).toBe(1);
  const { rows } = JSON.parse((await sluice('inspect', site, '--fsmap', '--json')).stdout);
  const { file, start } = rows.find(({ owners }: { owners: unknown[] }) => owners.length === 50);
  const bytes = readFileSync(join(site, file));
  bytes[start]! ^= 1;
  writeFileSync(join(site, file), bytes);
  const { status, stdout } = await sluice('fsck', site);
  expect(status).toBe(1);
  expect([...stdout.matchAll(/^ {2}damaged: (.*)$/gm)].map(([, path]) => path).sort()).toEqual(names);
});

test('inspect --fsmap: a table for people, one document for programs, and half of it for head', async ({
  dir,
}) => {
  const source = makeTree(join(dir, 'app'), { ...app, 'copy.bin': app['b.bin'], 'c.txt': 'c' });
  const site = join(dir, 'site');
  expect(await sluice('build', source, '--out', site)).toMatchObject({ status: 0 });
  const { image, rows } = JSON.parse((await sluice('inspect', site, '--fsmap', '--json')).stdout);
  expect(rows[0]).toMatchObject({ file: `${image}.bin`, start: 0, flags: ['metadata'], owners: [] });
  const files = [...new Set(rows.map((row: { file: string }) => row.file))];
  const shown = await sluice('inspect', site, '--fsmap');
  expect(shown.status).toBe(0);
  expect(shown.stdout.split('\n').filter((line) => line.endsWith('.bin'))).toEqual(files);
  expect(shown.stdout).toMatch(
    /^ +[\d,]+ +[\d,]+ +\d+ {2}shared +b\.bin \[0, 65,536\), copy\.bin \[0, 65,536\)$/m,
  );
  expect(shown.stdout).toMatch(/^ +0 +[\d,]+ +- {2}metadata$/m);

  const { child, result } = start(['inspect', site, '--fsmap', '--json']);
  child.stdout!.destroy();
  expect(await result).toMatchObject({ status: 0, stderr: '' });
  expect(await sluice('inspect', join(dir, 'app'), '--fsmap')).toMatchObject({ status: 1, stdout: '' });
});

test('the number of threads changes nothing, and sources and bundle agree', async ({ dir }) => {
  const spec = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`${i}.js`, prose(i, 300_000 + i)]));
  const source = makeTree(join(dir, 'app'), { ...spec, 'x.bin': noise(1, 400_000) });
  const trace = join(dir, 'trace.json');
  makeTree(dir, {
    'trace.json': '{"reads":[{"path":"7.js"},{"path":"x.bin","start":70000,"end":70001},{"path":"3.js"}]}',
  });
  const sites: Map<string, string>[] = [];
  for (const threads of ['0', '1', '2', '5']) {
    const site = join(dir, `site-${threads}`);
    expect(
      await sluice('build', source, '--out', site, '--threads', threads, '--trace', trace),
    ).toMatchObject({ status: 0 });
    sites.push(contents(site));
  }
  for (const site of sites) expect(site).toEqual(sites[0]);
  const runtimeDir = resolve(import.meta.dirname, '../../dist/runtime');
  await build(source, {
    out: join(dir, 'from-source'),
    runtimeDir,
    threads: 0,
    traces: [readTraceFile(trace)],
  });
  expect(contents(join(dir, 'from-source'))).toEqual(sites[0]);
});

test('what looks like a mistake is told: no page at the root, attributes of nothing', async ({ dir }) => {
  const source = makeTree(join(dir, 'app'), { 'readme.txt': 'x' });
  makeTree(dir, { 'attributes.json': JSON.stringify({ '*.txt': {}, 'gone.js': {}, 'gone/**': {} }) });
  const options = ['--out', join(dir, 'site'), '--attributes', join(dir, 'attributes.json')];
  const { status, stdout } = await sluice('build', source, ...options);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^entry {3}none: the app has no index\.html/m);
  expect(stdout).toMatch(/^unused {2}no file matches "gone\.js", "gone\/\*\*" of the attributes$/m);
  makeTree(source, { 'index.html': 'x' });
  expect((await sluice('build', source, '--out', join(dir, 'site'))).stdout).not.toMatch(
    /^(?:entry|unused)/m,
  );
});

test('a trace, attributes, a base and a fallback from files', async ({ dir }) => {
  const source = makeTree(join(dir, 'app'), app);
  makeTree(dir, {
    'trace.json': JSON.stringify({
      sluice: 1,
      image: 'x',
      reads: [{ path: 'b.bin' }, { path: 'gone' }, {}, null],
    }),
    'second.json': '{"reads":[{"path":"/index.html","start":0,"end":3,"size":16}]}',
    'foreign.json': '{"reads":[{"path":"other.js"}]}',
    'attributes.json': JSON.stringify({ '*.js': { headers: { 'X-Level': '1' } } }),
    'bad.json': '{',
    'not-a-trace.json': '{}',
  });
  const file = (name: string): string => join(dir, name);
  const site = join(dir, 'site');
  expect(await sluice('build', source, '--out', file('base'))).toMatchObject({ status: 0 });
  const options = [
    '--attributes',
    file('attributes.json'),
    '--base',
    file('base'),
    '--fallback',
    'index.html',
  ];
  const built = await sluice('build', source, '--out', site, ...options);
  expect(built).toMatchObject({ status: 0 });
  expect(built.stdout).toMatch(/^base +1 blob of .* as well$/m);
  const traced = await sluice('build', source, '--out', site, '--trace', file('trace.json'), ...options);
  expect(traced.stdout).toMatch(
    /^launch +\S+ k?B of the \S+ k?B \([\d.]+ %\), 1 block \([\d.]+ %\), of 1 file \([\d.]+ %\): stored first$/m,
  );
  const inspected = await sluice('inspect', site);
  expect(inspected.stdout).toMatch(/^launch set +\S+ k?B \([\d.]+ %\) in 1 block \([\d.]+ %\), of 1 file /m);
  expect(JSON.parse((await sluice('inspect', site, '--json')).stdout).launchSet).toMatchObject({
    files: 1,
    blocks: 1,
  });
  // Several in a row, the app in front or, where that is clear, behind.
  const several = ['--trace', file('trace.json'), file('second.json')];
  const both = await sluice('build', source, '--out', site, ...several);
  expect(both.stdout).toMatch(/^launch .* of 2 files /m);
  expect(await sluice('build', '--out', site, '--trace', file('foreign.json'), source)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^launch +nothing of the traces is in this app/m),
  });
  expect(await sluice('build', '--out', site, ...several, source)).toMatchObject({ status: 2 });
  for (const option of [
    ['--trace', file('bad.json')],
    ['--trace', file('not-a-trace.json')],
    ['--attributes', file('bad.json')],
  ]) {
    expect(await sluice('build', source, '--out', site, ...option)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('(EINVAL)'),
    });
  }
  expect(await sluice('build', source, '--out', site, '--trace', file('none.json'))).toMatchObject({
    status: 1,
  });
});

test('wrong usage is status 2, failure 1, and says what to do', async ({ dir }) => {
  const usage: [args: string[], word: string][] = [
    [['pack'], 'pack'],
    [['build'], 'app directory'],
    [['build', 'x'], '--out'],
    [['build', 'x', '--out', ''], '--out'],
    [['build', 'x', 'y', '--out', 'z'], 'y'],
    [['build', 'x', '--out', 'z', '--shrink'], '--shrink'],
    [['build', 'x', '--out', 'z', '--level', 'high'], '--level'],
    [['build', 'x', '--out', 'z', '--level', '20'], '--level'],
    [['build', 'x', '--out', 'z', '--codec', 'gzip'], '--codec'],
    [['build', 'x', '--out', 'z', '--blob-size', '8G'], '--blob-size'],
    [['serve', 'x', '--port', '70000'], '--port'],
    [['serve', 'x', '--prefix', '/a/../b/'], '--prefix'],
    [['fsck'], 'site directory'],
  ];
  const results = await Promise.all(usage.map(([args]) => sluice(...args)));
  for (const [i, { status, stdout, stderr }] of results.entries()) {
    const [args, word] = usage[i]!;
    expect([args, status, stdout]).toEqual([args, 2, '']);
    expect(stderr).toMatch(/^sluice: .*\n {2}\S.*\n$/);
    expect(stderr).toContain(word);
  }
  expect((await sluice()).status).toBe(2);
  const site = join(dir, 'nowhere');
  expect(await sluice('build', site, '--out', join(dir, 's'))).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^sluice: there is no directory .*\(ENOENT\)\n {2}/),
  });
  for (const command of ['inspect', 'serve'])
    expect(await sluice(command, site)).toMatchObject({ status: 1 });
  expect(await sluice('extract', site, '--out', join(dir, 'x'))).toMatchObject({ status: 1 });
  expect(await sluice('fsck', site)).toMatchObject({ status: 2 });
});

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(await sluice('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

test('help for all and for each, with examples', async () => {
  const commands = ['build', 'serve', 'inspect', 'fsck', 'extract'];
  const all = await sluice('--help');
  expect(all.status).toBe(0);
  for (const command of commands) expect(all.stdout).toContain(`  ${command} `);
  for (const command of commands) {
    const { status, stdout } = await sluice(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^sluice ${command} <`));
    expect(stdout).toMatch(/^Examples?$/m);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(118);
  }
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends a build and leaves nothing`, async ({ dir }) => {
    const source = join(dir, 'app');
    mkdirSync(source);
    for (let i = 0; i < 40; i++) writeFileSync(join(source, `${i}.js`), prose(i, 1_000_000));
    const before = readdirSync(dir);
    const { child, result } = start(['build', source, '--out', join(dir, 'parent/site'), '--level', '19']);
    // The output is being written to as soon as its parent is there.
    while (!existsSync(join(dir, 'parent')) && child.exitCode === null)
      await new Promise((done) => setTimeout(done, 5));
    child.kill(signal);
    const { status, stderr } = await result;
    expect([status, stderr]).toEqual([
      signal === 'SIGINT' ? 130 : 143,
      'sluice: interrupted; nothing was left behind\n',
    ]);
    expect(readdirSync(dir)).toEqual(before);
  });
}

test('an unreadable file or directory is EACCES', async ({ dir }) => {
  const source = makeTree(join(dir, 'app'), { 'index.html': 'x', 'locked.txt': 'x', 'closed/a.txt': 'x' });
  const out = join(dir, 'out');
  mkdirSync(out);
  // Root reads everything: another user is needed to see it.
  const isRoot = process.getuid?.() === 0;
  chmodSync(out, 0o777);
  chmodSync(dir, 0o755);
  const run = (): Promise<Result> =>
    start(['build', source, '--out', join(out, 'site')], isRoot ? { uid: 65_534, gid: 65_534 } : {}).result;
  chmodSync(join(source, 'locked.txt'), 0o000);
  expect(await run()).toMatchObject({ status: 1, stderr: expect.stringMatching(/locked\.txt.*\(EACCES\)/) });
  chmodSync(join(source, 'locked.txt'), 0o644);
  chmodSync(join(source, 'closed'), 0o000);
  expect(await run()).toMatchObject({ status: 1, stderr: expect.stringMatching(/closed.*\(EACCES\)/) });
  chmodSync(join(source, 'closed'), 0o755);
  expect(readdirSync(out)).toEqual([]);
  expect(await run()).toMatchObject({ status: 0 });
});

test('serve prints its URL alone on a line, answers, and ends calmly', async ({ dir }) => {
  const site = join(dir, 'site');
  await sluice('build', makeTree(join(dir, 'app'), app), '--out', site);
  const { child, result } = start(['serve', site, '--port', '0', '--prefix', 'games/doom']);
  const url = await lineOf(child, /./);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/games\/doom\/$/);
  const answer = await fetch(url);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(await answer.text()).toContain('id="sluice-boot"');
  const other = await sluice('serve', site, '--port', new URL(url).port);
  expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining('(EADDRINUSE)') });
  child.kill('SIGTERM');
  expect((await result).status).toBe(0);
});

function writeParts(path: string, count: number, part: (i: number) => Buffer): void {
  const descriptor = openSync(path, 'wx');
  for (let i = 0; i < count; i++) writeSync(descriptor, part(i));
  closeSync(descriptor);
}

test('a build of 1 GB stays below 300 MB of memory', async ({ dir }) => {
  test.setTimeout(300_000);
  const source = join(dir, 'app');
  mkdirSync(source);
  // Blocks that all differ and are quickly compressed: a number at the head of each, zeros after it.
  const stamp = Buffer.alloc(65_536);
  for (let file = 0; file < 7; file++) {
    writeParts(join(source, `level-${file}.pck`), 1600, (i) => {
      stamp.writeUInt32LE(file * 1600 + i + 1);
      return stamp;
    });
  }
  // And blocks that no codec shrinks, which fill blobs.
  const film = Buffer.from(noise(1, 8_388_608));
  writeParts(join(source, 'film.mp4'), 40, (i) => {
    for (let at = 0; at < film.length; at += 65_536) film.writeUInt32LE(i * 1000 + at / 65_536, at);
    return film;
  });
  const bundle = resolve(import.meta.dirname, '../../dist/node/build.js');
  const script = `import { build } from ${JSON.stringify(`file://${bundle}`)};
    const { logicalBytes, storedBytes } = await build(${JSON.stringify(source)}, { out: ${JSON.stringify(join(dir, 'site'))}, threads: 4 });
    console.log(JSON.stringify({ logicalBytes, storedBytes, peak: process.resourceUsage().maxRSS * 1024 }));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const { logicalBytes, storedBytes, peak } = JSON.parse(output);
  expect(logicalBytes).toBeGreaterThan(1_000_000_000);
  expect(storedBytes).toBeGreaterThan(300_000_000);
  expect(peak).toBeLessThan(300_000_000);
});
