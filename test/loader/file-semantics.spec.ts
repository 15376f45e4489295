import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import type { TreeOperation } from '../../src/format/tree-operation.ts';
import type { Loader } from '../../src/loader/loader.ts';
import { NodeDirectory } from '../contracts/node-directory.ts';
import { noise, seededRandom } from '../support/random.ts';
import { failure } from './engine-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';
import { type Tabs, withTabs } from './tabs.ts';

/** Incremental FS's cases of files and the data that they wait for: whole loaders over a real directory. */
const KiB = 1024;
const forever = 30_000;
let site: Fixture;

test.beforeAll(async () => {
  site = await makeSite(
    [
      { name: 'index.html', size: 3000, shift: 12 },
      { name: 'data.pak', size: 100 * KiB, shift: 12 },
    ],
    256 * KiB,
  );
});

/** Loaders of tabs over one real folder. */
function withFolder(
  run: (tabs: Tabs & { readonly tab: () => Promise<Loader> }) => Promise<void>,
): Promise<void> {
  return withTabs(site, (tabs) => {
    const { scope, release, open, folder } = tabs;
    const tab = async (): Promise<Loader> => {
      const loader = open(new NodeDirectory(join(folder, 'store')));
      await loader.start({ scope, release, background: false });
      return loader;
    };
    return run({ ...tabs, tab });
  });
}

function file(
  path: string,
  more: Partial<TreeOperation & { readonly type: 'create-file' }> = {},
): TreeOperation {
  const size = more.content?.length ?? more.size ?? 0;
  const nothing = { blockSize: 4 * KiB, mime: '', meta: new Uint8Array(0), content: undefined };
  return { type: 'create-file', path, ...nothing, ...more, size };
}

const folder = (path: string, recursive = false): TreeOperation => ({ type: 'mkdir', path, recursive });

async function codeOf(work: Promise<unknown>): Promise<string> {
  return (await failure(work)).code;
}

/** What a tab reads of a file, from `start` to `end`. */
function read(loader: Loader, path: string, start = 0, end = 2 ** 40): Promise<Uint8Array> {
  return loader.read(path, start, end, forever);
}

function block(content: Uint8Array<ArrayBuffer>, index: number): Uint8Array<ArrayBuffer> {
  return content.slice(index * 4 * KiB, (index + 1) * 4 * KiB);
}

test('basic_file_ops: made, read by ranges, linked, removed, from two tabs, and the same after a remount', () =>
  withFolder(async ({ tab }) => {
    const one = await tab();
    const two = await tab();
    const content = noise(1, 10_000);
    await one.changeTree(folder('saves'));
    await one.changeTree(file('saves/first', { content, meta: new Uint8Array([1, 2]) }));
    await two.changeTree({ type: 'link', existing: 'saves/first', path: 'saves/second' });
    await two.changeTree(file('saves/empty', { content: new Uint8Array(0) }));
    const look = async (loader: Loader): Promise<void> => {
      for (const path of ['saves/first', '/saves/second']) {
        expect(await read(loader, path)).toEqual(content);
        expect(await read(loader, path, 4000, 8200)).toEqual(content.subarray(4000, 8200));
        expect(await read(loader, path, 9999)).toEqual(content.subarray(9999));
        expect(await read(loader, path, 10_000)).toEqual(new Uint8Array(0));
        expect(await read(loader, path, 20_000)).toEqual(new Uint8Array(0));
        const stat = await loader.stat(path);
        expect(stat).toMatchObject({ kind: 'file', size: 10_000, links: 2, meta: new Uint8Array([1, 2]) });
      }
      expect((await loader.stat('saves/first')).inode).toBe((await loader.stat('saves/second')).inode);
      expect(await read(loader, 'saves/empty')).toEqual(new Uint8Array(0));
      expect((await loader.readdir('saves')).map(({ name }) => name)).toEqual(['empty', 'first', 'second']);
    };
    await look(one);
    await look(two);
    await one.close();
    await look(two);
    await two.close();
    const again = await tab();
    await look(again);
    await again.changeTree({ type: 'unlink', path: 'saves/first' });
    expect(await read(again, 'saves/second')).toEqual(content);
    await again.changeTree({ type: 'unlink', path: 'saves/second' });
    expect(await codeOf(again.stat('saves/second'))).toBe('ENOENT');
    expect(await codeOf(again.changeTree({ type: 'rmdir', path: 'saves' }))).toBe('ENOTEMPTY');
    await again.changeTree({ type: 'unlink', path: 'saves/empty' });
    await again.changeTree({ type: 'rmdir', path: 'saves' });
    expect((await again.readdir('')).map(({ name }) => name)).toEqual(['data.pak', 'index.html']);
  }));

test('directory_structure, dirs_corner_cases: a deep tree over a real directory, its errors, and a remount', () =>
  withFolder(async ({ tab }) => {
    const one = await tab();
    const deep = Array.from({ length: 40 }, (_, i) => `level ${i}`).join('/');
    await one.changeTree(folder(deep, true));
    await one.changeTree(file(`${deep}/file`, { content: noise(2, 10) }));
    const errors: [TreeOperation, string][] = [
      [folder('level 0'), 'EEXIST'],
      [folder('none/below'), 'ENOENT'],
      [folder('data.pak/below'), 'ENOTDIR'],
      [{ type: 'link', existing: 'level 0', path: 'level 0/level 1/again' }, 'EINVAL'],
      [{ type: 'link', existing: '', path: 'level 0/root' }, 'EINVAL'],
      [{ type: 'link', existing: 'level 0/level 1', path: 'second' }, 'EMLINK'],
      [{ type: 'rmdir', path: 'level 0' }, 'ENOTEMPTY'],
      [{ type: 'rmdir', path: '' }, 'EINVAL'],
      [{ type: 'unlink', path: 'level 0' }, 'EISDIR'],
      [folder('..'), 'EINVAL'],
      [folder('x\0'), 'EINVAL'],
      [folder('n'.repeat(256)), 'ENAMETOOLONG'],
      [folder('__sluice'), 'EINVAL'],
    ];
    const look = async (loader: Loader): Promise<void> => {
      for (const [operation, code] of errors)
        expect.soft(await codeOf(loader.changeTree(operation)), JSON.stringify(operation)).toBe(code);
      expect(await read(loader, `${deep}/file`)).toEqual(noise(2, 10));
      expect(await loader.readdir('')).toMatchObject([
        { name: 'data.pak' },
        { name: 'index.html' },
        { name: 'level 0' },
      ]);
    };
    await look(one);
    await one.close();
    await look(await tab());
  }));

test('dynamic_files_and_data, work_after_remount: readers of a made file wait for its blocks, over a remount', () =>
  withFolder(async ({ tab }) => {
    const one = await tab();
    const two = await tab();
    const content = noise(3, 70_000);
    await two.changeTree(file('level', { size: content.length }));
    expect(await codeOf(one.read('level', 0, 10, 0))).toBe('read-timeout');
    const early = [read(one, 'level', 0, 10), read(two, 'level', 69_990)];
    await expect.poll(async () => (await one.state()).pendingReads.length).toBe(2);
    await one.provideBlocks([
      { path: 'level', block: 17, bytes: block(content, 17) },
      { path: 'level', block: 0, bytes: block(content, 0) },
    ]);
    expect(await early[0]).toEqual(content.subarray(0, 10));
    expect(await early[1]).toEqual(content.subarray(69_990));
    expect(await two.filledRanges('level')).toEqual([
      { start: 0, end: 4096 },
      { start: 17 * 4096, end: 70_000 },
    ]);
    await one.close();
    await two.close();

    const again = await tab();
    expect(await again.filledRanges('level')).toHaveLength(2);
    const whole = read(again, 'level');
    for (let i = 16; i > 0; i--)
      await again.provideBlocks([{ path: 'level', block: i, bytes: block(content, i) }]);
    expect(await whole).toEqual(content);
    await again.changeTree({ type: 'unlink', path: 'index.html' });
    await again.close();
    const last = await tab();
    expect(await read(last, 'level')).toEqual(content);
    expect(await codeOf(last.stat('index.html'))).toBe('ENOENT');
  }));

test('dynamic_files_and_data: data loaders see a prefetch of a made file; whoever waits for one that is removed hears ENOENT', () =>
  withFolder(async ({ tab }) => {
    const one = await tab();
    const two = await tab();
    const content = noise(7, 5000);
    await one.changeTree(file('ahead', { size: content.length }));
    const ahead = one.prefetch(['ahead'], 'background');
    await expect.poll(async () => (await two.pendingReads(0, 0)).map(({ path }) => path)).toHaveLength(2);
    await two.provideBlocks([0, 1].map((i) => ({ path: 'ahead', block: i, bytes: block(content, i) })));
    await ahead;
    expect(await read(two, 'ahead')).toEqual(content);

    await one.changeTree(file('gone', { size: content.length }));
    const waiting = [one, two].map((loader) => codeOf(read(loader, 'gone', 0, 10)));
    await expect
      .poll(async () => (await one.state()).pendingReads.map(({ waiters }) => waiters))
      .toEqual([2]);
    await two.changeTree({ type: 'unlink', path: 'gone' });
    expect(await Promise.all(waiting)).toEqual(['ENOENT', 'ENOENT']);
    expect((await one.state()).pendingReads).toEqual([]);
  }));

test('concurrent_reads_and_writes: readers in two tabs, while blocks come in disorder and twice, and names change', () =>
  withFolder(async ({ tab }) => {
    const loaders = [await tab(), await tab()];
    const random = seededRandom(4);
    const below = (n: number): number => Math.floor(random() * n);
    const blocks = 30;
    const content = noise(5, blocks * 4096 - 100);
    await loaders[0]!.changeTree(file('shared', { size: content.length }));
    const reads = Array.from({ length: 100 }, async (_, i) => {
      const start = below(content.length);
      const end = Math.min(content.length, start + below(20_000));
      expect(await read(loaders[i % 2]!, 'shared', start, end)).toEqual(content.subarray(start, end));
    });
    const order = Array.from({ length: blocks * 2 }, (_, i) => ({ block: i % blocks, rank: random() }));
    const writes = order
      .sort((a, b) => a.rank - b.rank)
      .map(({ block: index }, i) =>
        loaders[i % 2]!.provideBlocks([{ path: 'shared', block: index, bytes: block(content, index) }]),
      );
    const names = Array.from({ length: 8 }, async (_, i) => {
      const loader = loaders[i % 2]!;
      await loader.changeTree({ type: 'link', existing: 'shared', path: `name ${i}` });
      await loader.changeTree({ type: 'unlink', path: `name ${i}` });
    });
    await Promise.all([...reads, ...writes, ...names]);
    for (const loader of loaders) {
      expect((await loader.state()).pendingReads).toEqual([]);
      expect(await loader.stat('shared')).toMatchObject({ links: 1 });
      expect(await read(loader, 'shared')).toEqual(content);
    }
  }));

test('concurrent_reads_and_writes: files that are made at the same time, of other names and of the same one', () =>
  withFolder(async ({ tab }) => {
    const loaders = [await tab(), await tab()];
    const names = Array.from({ length: 12 }, (_, i) => `made ${i >> 1}`);
    const codes = await Promise.all(
      names.map((path, i) =>
        loaders[i % 2]!.changeTree(file(path, { content: noise(i, 9000) })).then(
          () => 'made',
          ({ code }) => code as string,
        ),
      ),
    );
    for (let i = 0; i < names.length; i += 2) {
      expect(codes.slice(i, i + 2).sort()).toEqual(['EEXIST', 'made']);
      const first = codes[i] === 'made' ? i : i + 1;
      expect(await read(loaders[0]!, names[i]!)).toEqual(noise(first, 9000));
    }
  }));

test('child_procs_waiting_for_data: four tabs wait for one block; the leader goes, and all the others get it', () =>
  withFolder(async ({ tab }) => {
    const leader = await tab();
    const others = [await tab(), await tab(), await tab()];
    const content = noise(6, 5000);
    await others[0]!.changeTree(file('level', { size: content.length }));
    const own = codeOf(read(leader, 'level'));
    const reads = others.map((loader) => read(loader, 'level'));
    const waiters = async (loader: Loader): Promise<number[]> =>
      (await loader.state()).pendingReads.map((pending) => pending.waiters);
    await expect.poll(() => waiters(others[2]!)).toEqual([4, 4]);
    await leader.close();
    expect(await own).toBe('closed');
    await expect.poll(() => waiters(others[2]!)).toEqual([3, 3]);
    await others[1]!.provideBlocks(
      [1, 0].map((i) => ({ path: 'level', block: i, bytes: block(content, i) })),
    );
    for (const bytes of await Promise.all(reads)) expect(bytes).toEqual(content);
  }));

test('hash_tree: a wrong bit in a block, in its table or in the bootstrap is found, and never read', () =>
  withFolder(async ({ tab, origin }) => {
    const { record } = site.blobs[0]!;
    const blob = `${record.sha256}.bin`;
    const wrong = (path: string, offset: number): void => {
      origin.fault = (request) => (request.path.endsWith(path) ? { type: 'flip-bit', offset } : undefined);
    };
    wrong(`${site.image}.bin`, site.bootstrap.length - 1);
    const misled = tab();
    await misled.then(
      () => expect(true, 'a wrong bootstrap is no image').toBe(false),
      (error: unknown) => expect((error as { code?: string }).code).toMatch(/integrity/),
    );
    origin.fault = undefined;
    const loader = await tab();
    wrong(blob, record.tableLength - 1);
    expect(await codeOf(read(loader, 'index.html'))).toBe('integrity');
    wrong(blob, record.tableLength + 10);
    expect(await codeOf(read(loader, 'index.html'))).toBe('integrity');
    expect((await loader.state()).blocks.present).toBe(0);
    expect((await loader.state()).loader.lastReadError).toMatchObject({
      path: 'index.html',
      code: 'integrity',
    });
    // Beside the wrong one everything is right.
    expect(await read(loader, 'data.pak')).toEqual(site.files.get('data.pak'));
    origin.fault = undefined;
    expect(await read(loader, 'index.html')).toEqual(site.files.get('index.html'));
  }));
