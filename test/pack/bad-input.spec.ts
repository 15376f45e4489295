import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build, extract, remedies, SluiceError } from '../../src/pack/index.ts';
import { noise } from '../support/random.ts';
import { contents, expect, makeTree, prose, test } from './fixture.ts';

/** Names in `dir` that no test put there. */
const leftovers = (dir: string): string[] =>
  readdirSync(dir).filter((name) => !['app', 'runtime', 'site'].includes(name));

async function failure(promise: Promise<unknown>): Promise<SluiceError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}

test.describe('an app directory that cannot be packed', () => {
  const cases: {
    what: string;
    code: string;
    path: string;
    message: RegExp;
    make: (app: string, dir: string) => unknown;
  }[] = [
    {
      what: 'a name that is not UTF-8',
      code: 'bad-name',
      path: 'sub/caf\\xe9.txt',
      message: /not UTF-8/,
      make: (app) => {
        mkdirSync(join(app, 'sub'));
        writeFileSync(
          Buffer.concat([Buffer.from(`${app}/sub/caf`), Buffer.of(0xe9), Buffer.from('.txt')]),
          'x',
        );
      },
    },
    {
      what: 'a name with a backslash',
      code: 'bad-name',
      path: 'sub/a\\b.txt',
      message: /no URL can name/,
      make: (app) => {
        mkdirSync(join(app, 'sub'));
        writeFileSync(`${app}/sub/a\\b.txt`, 'x');
      },
    },
    {
      what: 'a link that leads outside',
      code: 'bad-link',
      path: 'out.txt',
      message: /leads out of the app directory/,
      make: (app, dir) => {
        writeFileSync(join(dir, 'runtime/secret'), 'x');
        symlinkSync('../runtime/secret', join(app, 'out.txt'));
      },
    },
    {
      what: 'a link to a directory whose name begins as the app’s does',
      code: 'bad-link',
      path: 'sibling',
      message: /leads out of the app directory/,
      make: (app) => {
        mkdirSync(`${app}-2`);
        symlinkSync('../app-2', join(app, 'sibling'));
      },
    },
    {
      what: 'a link that leads nowhere',
      code: 'bad-link',
      path: 'dangling',
      message: /leads nowhere/,
      make: (app) => symlinkSync('not-there', join(app, 'dangling')),
    },
    {
      what: 'a link that leads to itself',
      code: 'bad-link',
      path: 'loop',
      message: /circle/,
      make: (app) => symlinkSync('loop', join(app, 'loop')),
    },
    {
      what: 'a link to a directory that it lies in',
      code: 'bad-link',
      path: 'a/b/up',
      message: /circle/,
      make: (app) => {
        mkdirSync(join(app, 'a/b'), { recursive: true });
        symlinkSync('../..', join(app, 'a/b/up'));
      },
    },
    {
      what: 'two links that lead into each other',
      code: 'bad-link',
      path: 'x/to-y/to-x',
      message: /circle/,
      make: (app) => {
        makeTree(app, { 'x/': '', 'y/': '' });
        symlinkSync('../y', join(app, 'x/to-y'));
        symlinkSync('../x', join(app, 'y/to-x'));
      },
    },
    {
      what: 'a named pipe',
      code: 'bad-file',
      path: 'pipe',
      message: /named pipe/,
      make: (app) => {
        execFileSync('mkfifo', [join(app, 'pipe')]);
      },
    },
    {
      what: 'a socket',
      code: 'bad-file',
      path: 's.sock',
      message: /socket/,
      make: (app) => {
        const server = createServer();
        // Closing it would remove it: it lives as long as the test process.
        server.unref();
        return new Promise<void>((resolve) => server.listen(join(app, 's.sock'), resolve));
      },
    },
    ...['sluice.json', '__sluice', `${'ab'.repeat(32)}.bin`].map((name) => ({
      what: `${name} at the root`,
      code: 'bad-name',
      path: name,
      message: /cannot be packed/,
      make: (app: string) => writeFileSync(join(app, name), 'x'),
    })),
    {
      what: 'a directory where the site has a file',
      code: 'bad-name',
      path: 'sw.js',
      message: /cannot be packed/,
      make: (app) => {
        makeTree(app, { 'sw.js/page.html': '' });
      },
    },
  ];

  for (const { what, code, path, message, make } of cases) {
    test(what, async ({ dir, runtimeDir }) => {
      const app = makeTree(join(dir, 'app'), { 'index.html': 'x' });
      await make(app, dir);
      const before = readdirSync(dir);
      const error = await failure(build(app, { out: join(dir, 'site'), runtimeDir }));
      expect(error).toMatchObject({ code, path });
      expect(error.message).toMatch(message);
      expect(error.message).toContain(path);
      expect(remedies[error.code]).not.toBe('');
      expect(readdirSync(dir)).toEqual(before);
    });
  }

  test('reserved names are free below the root', async ({ dir, runtimeDir }) => {
    const app = makeTree(join(dir, 'app'), {
      'sub/sluice.json': '1',
      'sub/__sluice/x': '2',
      [`sub/${'0'.repeat(64)}.bin`]: '3',
    });
    await build(app, { out: join(dir, 'site'), runtimeDir });
    await extract(join(dir, 'site'), { out: join(dir, 'again') });
    expect(contents(join(dir, 'again'))).toEqual(contents(app));
  });
});

test.describe('arguments', () => {
  test('no such directory, a file instead', async ({ dir, runtimeDir }) => {
    const out = join(dir, 'site');
    writeFileSync(join(dir, 'app'), 'a file');
    expect(await failure(build(join(dir, 'nowhere'), { out, runtimeDir }))).toMatchObject({ code: 'ENOENT' });
    expect(await failure(build(join(dir, 'app'), { out, runtimeDir }))).toMatchObject({ code: 'ENOTDIR' });
    expect(leftovers(dir)).toEqual([]);
  });

  test('one directory inside of the other', async ({ dir, runtimeDir }) => {
    const app = makeTree(join(dir, 'app'), { 'index.html': 'x' });
    symlinkSync('app', join(dir, 'alias'));
    for (const out of ['app', 'app/site', 'app/not/there/yet', 'alias/site', '.']) {
      const error = await failure(build(app, { out: join(dir, out), runtimeDir }));
      expect(error).toMatchObject({ code: 'EINVAL' });
    }
    expect(contents(app).size).toBe(1);
  });

  test('an output that is a link stays one, and the site goes where it leads', async ({
    dir,
    runtimeDir,
  }) => {
    const app = makeTree(join(dir, 'app'), { 'index.html': 'x' });
    mkdirSync(join(dir, 'disk'));
    symlinkSync('disk', join(dir, 'site'));
    for (let i = 0; i < 2; i++) await build(app, { out: join(dir, 'site'), runtimeDir });
    expect(readlinkSync(join(dir, 'site'))).toBe('disk');
    expect(contents(join(dir, 'disk')).has('sluice.json')).toBe(true);
    expect(leftovers(dir)).toEqual(['disk']);
  });

  test('what somebody else puts there while the site is made is left alone', async ({ dir, runtimeDir }) => {
    const app = makeTree(join(dir, 'app'), { 'index.html': 'x' });
    const out = join(dir, 'new/deep/site');
    const beside = join(dir, 'new/precious.txt');
    const fails = build(app, {
      out,
      runtimeDir,
      onProgress: ({ phase }) => {
        if (phase !== 'pack') return;
        writeFileSync(beside, 'x');
        makeTree(out, { 'precious.txt': 'x' });
      },
    });
    expect(await failure(fails)).toMatchObject({ code: 'EEXIST' });
    expect([existsSync(beside), existsSync(join(out, 'precious.txt'))]).toEqual([true, true]);
    expect(readdirSync(join(dir, 'new/deep'))).toEqual(['site']);
  });

  test('an output that is something else is left alone', async ({ dir, runtimeDir }) => {
    const app = makeTree(join(dir, 'app'), { 'index.html': 'x' });
    const others: Record<string, string>[] = [
      { 'precious.txt': 'x' },
      { 'sluice.json': '{"name":"a river tool"}' },
    ];
    for (const [i, spec] of others.entries()) {
      const out = makeTree(join(dir, `other-${i}`), spec);
      expect(await failure(build(app, { out, runtimeDir }))).toMatchObject({ code: 'EEXIST' });
      expect(contents(out).size).toBe(1);
    }
    writeFileSync(join(dir, 'file'), 'x');
    expect(await failure(build(app, { out: join(dir, 'file'), runtimeDir }))).toMatchObject({
      code: 'EEXIST',
    });
  });

  test('a site with a file of somebody else in it is not replaced, one without is', async ({
    dir,
    runtimeDir,
  }) => {
    const app = makeTree(join(dir, 'app'), { 'index.html': 'one', 'a/page.html': 'x' });
    const out = join(dir, 'site');
    const first = await build(app, { out, runtimeDir });
    writeFileSync(join(app, 'index.html'), 'two');
    writeFileSync(join(out, 'CNAME'), 'example.org');
    const error = await failure(build(app, { out, runtimeDir }));
    expect(error).toMatchObject({ code: 'EEXIST' });
    expect(error.message).toContain('CNAME');
    execFileSync('rm', [join(out, 'CNAME')]);
    const second = await build(app, { out, runtimeDir });
    expect(second.image).not.toBe(first.image);
    expect([...contents(out).keys()]).not.toContain(`${first.image}.bin`);
    expect(leftovers(dir)).toEqual([]);
  });

  test('options out of range', async ({ dir, runtimeDir }) => {
    const app = makeTree(join(dir, 'app'), { 'index.html': 'x' });
    const out = join(dir, 'site');
    const bad = [
      { level: 0 },
      { level: 20 },
      { level: 3.5 },
      { blobSize: 1000 },
      { blobSize: 2 ** 40 },
      { threads: -1 },
      { codec: 'gzip' as 'zstd' },
      { attributes: { 'index.html': { meta: 'x'.repeat(513) } } },
    ];
    for (const options of bad)
      expect(await failure(build(app, { out, runtimeDir, ...options }))).toMatchObject({ code: 'EINVAL' });
    expect(await failure(build(app, { out, runtimeDir, fallback: 'no.html' }))).toMatchObject({
      code: 'ENOENT',
      path: 'no.html',
    });
    expect(await failure(build(app, { out, runtimeDir, base: app }))).toMatchObject({ code: 'ENOENT' });
    expect(await failure(build(app, { out, runtimeDir: app }))).toMatchObject({ code: 'no-runtime' });
    expect(leftovers(dir)).toEqual([]);
    expect(existsSync(out)).toBe(false);
  });

  test('parents of the output are made, and taken away again after a failure', async ({
    dir,
    runtimeDir,
  }) => {
    const app = makeTree(join(dir, 'app'), { 'index.html': 'x', 'data.bin': noise(1, 3_000_000) });
    const out = join(dir, 'new/parents/site');
    const controller = new AbortController();
    const stop = new Error('stop');
    const onProgress = (): void => controller.abort(stop);
    await expect(build(app, { out, runtimeDir, onProgress, signal: controller.signal })).rejects.toBe(stop);
    expect(leftovers(dir)).toEqual([]);
    await build(app, { out, runtimeDir });
    expect(existsSync(join(out, 'sluice.json'))).toBe(true);
  });
});

test('an aborted build leaves the older site as it was', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'index.html': 'x', 'data.bin': noise(2, 20_000_000) });
  const out = join(dir, 'site');
  await build(app, { out, runtimeDir, codec: 'none' });
  const before = contents(out);
  writeFileSync(join(app, 'index.html'), 'changed');
  const controller = new AbortController();
  const onProgress = ({ bytes }: { readonly bytes: number }): void => {
    if (bytes > 12_000_000) controller.abort(new Error('enough'));
  };
  const options = { out, runtimeDir, codec: 'none', onProgress, signal: controller.signal } as const;
  await expect(build(app, options)).rejects.toThrow('enough');
  expect(contents(out)).toEqual(before);
  expect(leftovers(dir)).toEqual([]);
});

test('a file that grows, shrinks or vanishes while it is packed is an error', async ({ dir, runtimeDir }) => {
  const changes: { code: string; change: (path: string) => void }[] = [
    { code: 'changed', change: (path) => appendFileSync(path, 'more') },
    { code: 'changed', change: (path) => writeFileSync(path, 'short') },
    { code: 'ENOENT', change: (path) => execFileSync('rm', [path]) },
  ];
  for (const { code, change } of changes) {
    const app = makeTree(join(dir, 'app'), { 'a.bin': prose(1, 400_000), 'b.bin': prose(2, 400_000) });
    let changed = false;
    const onProgress = ({ phase }: { readonly phase: string }): void => {
      if (phase !== 'pack' || changed) return;
      changed = true;
      change(join(app, 'b.bin'));
    };
    const error = await failure(build(app, { out: join(dir, 'site'), runtimeDir, onProgress }));
    expect(error).toMatchObject({ code, path: 'b.bin' });
    expect(existsSync(join(dir, 'site'))).toBe(false);
    expect(leftovers(dir)).toEqual([]);
  }
});

test('a file that changes while its own bytes are read is an error', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'a.bin': prose(1, 400_000) });
  const onProgress = ({ phase, bytes }: { readonly phase: string; readonly bytes: number }): void => {
    if (phase === 'pack' && bytes === 65_536) appendFileSync(join(app, 'a.bin'), 'tail');
  };
  const error = await failure(build(app, { out: join(dir, 'site'), runtimeDir, onProgress }));
  expect(error).toMatchObject({ code: 'changed', path: 'a.bin' });
});

test('a full disk is ENOSPC and leaves nothing', async ({ dir, runtimeDir }) => {
  const disk = join(dir, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'pipe' });
  } catch {
    test.skip(true, 'a small tmpfs can be mounted by root only');
  }
  try {
    const app = makeTree(join(dir, 'app'), { 'data.bin': noise(3, 5_000_000) });
    const options = { out: join(disk, 'site'), runtimeDir, blobSize: 2 ** 19 };
    expect(await failure(build(app, options))).toMatchObject({ code: 'ENOSPC' });
    expect(readdirSync(disk)).toEqual([]);
    await build(app, { ...options, out: join(dir, 'site') });
    expect(await failure(extract(join(dir, 'site'), { out: join(disk, 'app') }))).toMatchObject({
      code: 'ENOSPC',
    });
    expect(readdirSync(disk)).toEqual([]);
  } finally {
    execFileSync('umount', [disk]);
  }
});

test('extract refuses what is there and what it lies in', async ({ dir, runtimeDir }) => {
  const app = makeTree(join(dir, 'app'), { 'index.html': 'x' });
  const site = join(dir, 'site');
  await build(app, { out: site, runtimeDir });
  expect(await failure(extract(site, { out: app }))).toMatchObject({ code: 'EEXIST' });
  expect(await failure(extract(site, { out: join(site, 'inside') }))).toMatchObject({ code: 'EINVAL' });
  expect(await failure(extract(site, { out: site }))).toMatchObject({ code: 'EINVAL' });
  expect(await failure(extract(app, { out: join(dir, 'x') }))).toMatchObject({ code: 'ENOENT' });
  expect(leftovers(dir)).toEqual([]);
});
