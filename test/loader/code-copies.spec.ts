import { expect, test } from '@playwright/test';
import { Image } from '../../src/image/image.ts';
import { CodeCopies } from '../../src/loader/code-copies.ts';
import type { Room } from '../../src/loader/culling.ts';
import { codeCacheName } from '../../src/protocol/code-copies.ts';
import { type EngineRig, withEngine } from './engine-rig.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryCaches } from './memory-caches.ts';
import { withScrubRig } from './scrub-rig.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

const MiB = 1024 * 1024;
const scope = 'https://example.org/app/';
const names = ['a.js', 'b.js', 'c.js', 'd.wasm'];
let site: Fixture;

test.beforeAll(async () => {
  site = await makeSite(
    names.map((name) => ({ name, size: 20_000, shift: 14 })),
    64 * 1024,
  );
});

/** As a leader finds it that comes later. */
function keptBefore(caches: MemoryCaches, scope: string, tag: string): void {
  const copy = new Response('', { headers: { ETag: `"${tag}"`, 'Content-Length': '20000' } });
  caches.caches.set(codeCacheName(scope), new Map([[`${scope}a.js`, copy]]));
}

interface Rig extends EngineRig {
  readonly clock: ManualClock;
  readonly caches: MemoryCaches;
  readonly copies: CodeCopies;
  readonly reported: unknown[];
  /** What was asked of the service worker. */
  readonly asked: string[];
  /** Length that the service worker gives a file. */
  readonly lengths: Map<string, number>;
  /** Of which the service worker gives a part only, and says nothing. */
  readonly cut: Set<string>;
  readonly edge: { quiet: boolean; controlled: boolean; room: Room | undefined; vary: string };
  /** A service worker tells of them; time passes until it is calm, and nothing is under way any more. */
  launch(...paths: string[]): Promise<void>;
  kept(): string[];
}

/** `present`: the files that are wholly here. */
function withCopies(present: readonly string[], run: (rig: Rig) => Promise<void>): Promise<void> {
  return withEngine(site, async (rig) => {
    for (const name of present) await rig.read(name);
    await rig.engine.flush();
    const clock = new ManualClock();
    const caches = new MemoryCaches();
    const asked: string[] = [];
    const lengths = new Map<string, number>();
    const cut = new Set<string>();
    const reported: unknown[] = [];
    const edge = { quiet: true, controlled: true, room: undefined as Room | undefined, vary: 'Accept' };
    const { image } = rig.mount;
    const answer: typeof fetch = async (input, init) => {
      expect(init).toMatchObject({ cache: 'only-if-cached', mode: 'same-origin' });
      init?.signal?.throwIfAborted();
      if (!edge.controlled) throw new TypeError('Failed to fetch');
      const path = new URL(String(input)).pathname.slice('/app/'.length);
      asked.push(`${init!.method} ${path}`);
      const { tag, size } = image.inode(image.lookup(path)!);
      const length = lengths.get(path) ?? size;
      const headers = {
        ETag: `"${tag}"`,
        'Content-Type': 'text/javascript',
        Vary: edge.vary,
        'Content-Length': String(length),
      };
      if (init!.method === 'HEAD') return new Response(null, { headers });
      const content = length === size ? site.files.get(path)! : new Uint8Array(length);
      return new Response(content.slice(0, cut.has(path) ? length - 1 : length), { headers });
    };
    const copies = new CodeCopies({
      scope,
      caches,
      fetch: answer,
      clock,
      isQuiet: () => edge.quiet,
      mounts: () => [rig.mount],
      estimate: async () => edge.room,
      report: (error) => reported.push(error),
    });
    const kept = (): string[] =>
      [...(caches.caches.get(codeCacheName(scope))?.keys() ?? [])]
        .map((url) => url.slice(scope.length))
        .sort();
    const launch = async (...paths: string[]): Promise<void> => {
      copies.served(
        paths.map((path) => ({ path, blob: 0, first: 0, count: 0, at: 0, waitedMs: 0, code: scope + path })),
      );
      clock.advance(10_000);
      await copies.settled();
    };
    try {
      await run({ ...rig, clock, caches, copies, reported, asked, lengths, cut, edge, launch, kept });
    } finally {
      await copies.close();
    }
  });
}

test('code copies: what was read as code and is wholly here, when it is calm', () =>
  withCopies(['a.js', 'd.wasm'], async ({ copies, launch, kept, edge, clock, engine, read, reported }) => {
    edge.quiet = false;
    await launch('a.js', 'b.js');
    expect(kept()).toEqual([]);
    edge.quiet = true;
    clock.advance(1000);
    await copies.settled();
    expect(kept()).toEqual(['a.js']);
    expect(copies.info).toEqual({ files: 1, bytes: 20_000 });
    // It comes later.
    await read('b.js');
    await engine.flush();
    copies.look();
    clock.advance(1000);
    await copies.settled();
    expect(kept()).toEqual(['a.js', 'b.js']);
    expect(reported).toEqual([]);
  }));

test('code copies: one that is there is looked at, not made again; of other headers, it is', () =>
  withCopies(names, async ({ launch, asked, caches, kept }) => {
    await launch('a.js');
    await launch('a.js');
    expect(asked).toEqual(['HEAD a.js', 'GET a.js', 'HEAD a.js']);
    const entries = caches.caches.get(codeCacheName(scope))!;
    entries.get(`${scope}a.js`)!.headers.set('Content-Type', 'text/plain');
    await launch('a.js');
    expect(asked.slice(3)).toEqual(['HEAD a.js', 'GET a.js']);
    expect(entries.get(`${scope}a.js`)!.headers.get('Content-Type')).toBe('text/javascript');
    expect(kept()).toEqual(['a.js']);
  }));

test('code copies: bounded', () =>
  withCopies(names, async ({ launch, kept, lengths, copies }) => {
    lengths
      .set('a.js', 40 * MiB)
      .set('b.js', 30 * MiB)
      .set('c.js', 65 * MiB);
    await launch('a.js');
    await launch('b.js');
    await launch('c.js');
    // Both were read, and the first is there; the third has no room anyhow.
    expect(kept()).toEqual(['a.js']);
    expect(copies.info).toEqual({ files: 1, bytes: 40 * MiB });
  }));

test('code copies: a leader that has heard of others gives up what makes way for them', () =>
  withCopies(names, async ({ launch, kept, lengths, caches, mount }) => {
    keptBefore(caches, scope, mount.image.inode(mount.image.lookup('a.js')!).tag);
    lengths.set('b.js', 64 * MiB);
    await launch('b.js');
    expect(kept()).toEqual(['b.js']);
  }));

test('code copies: none where the quota is nearly used', () =>
  withCopies(names, async ({ launch, kept, edge }) => {
    edge.room = { usage: 95, quota: 100 };
    await launch('a.js');
    expect(kept()).toEqual([]);
  }));

test('code copies: none of a file that the image gives `Vary: *`', () =>
  withCopies(names, async ({ launch, kept, edge, asked }) => {
    edge.vary = '*';
    await launch('a.js');
    expect(kept()).toEqual([]);
    expect(asked).toEqual(['HEAD a.js']);
  }));

test('code copies: none, and no complaint, where no service worker answers', () =>
  withCopies(names, async ({ launch, kept, edge, reported }) => {
    edge.controlled = false;
    await launch('a.js');
    expect(kept()).toEqual([]);
    expect(reported).toEqual([]);
  }));

test('code copies: one of which only a part has come is not kept, and made again', () =>
  withCopies(names, async ({ launch, kept, copies, cut, reported, asked }) => {
    cut.add('a.js');
    await launch('a.js');
    expect(kept()).toEqual([]);
    expect(copies.info).toEqual({ files: 0, bytes: 0 });
    expect(reported).toMatchObject([{ code: 'disconnected' }]);
    cut.clear();
    await launch('b.js');
    expect(kept()).toEqual(['a.js', 'b.js']);
    expect(asked.filter((asked) => asked === 'GET a.js')).toHaveLength(2);
    expect(reported).toHaveLength(1);
  }));

test('code copies: Cache Storage that does not answer holds nobody for ever', () =>
  withCopies(names, async ({ launch, copies, caches, clock, reported }) => {
    const begun = new Promise<void>((resolve) => {
      caches.onPut = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    const launched = launch('a.js');
    await begun;
    const cleared = copies.clear();
    clock.advance(60_000);
    await cleared;
    await launched;
    expect(copies.info).toEqual({ files: 0, bytes: 0 });
    expect(reported).toEqual([]);
  }));

test('code copies: given up while one is made, nothing is left of it', () =>
  withCopies(names, async ({ launch, kept, copies, caches, clock }) => {
    let cleared: Promise<void> | undefined;
    caches.onPut = () => {
      cleared ??= copies.clear();
    };
    await launch('a.js', 'b.js');
    await cleared;
    expect(kept()).toEqual([]);
    copies.look();
    clock.advance(1000);
    await copies.settled();
    expect(kept()).toEqual(['a.js', 'b.js']);
  }));

test('code copies: those of files that are not wholly here any more, or of no image, go', () =>
  withCopies(names, async ({ launch, kept, copies, caches, engine, mount }) => {
    await launch(...names);
    const entries = caches.caches.get(codeCacheName(scope))!;
    entries.set(`${scope}gone.js`, new Response('', { headers: { ETag: '"00"' } }));
    entries.set(`${scope}%ff`, new Response(''));
    const { blob } = [...mount.tree.mapRange(mount.tree.lookup('d.wasm')!, 0, 1)][0]!;
    await engine.evict([mount.tree.blob(blob).sha256]);
    await copies.drop();
    expect(kept()).not.toContain('d.wasm');
    expect(kept()).not.toContain('gone.js');
    expect(kept()).not.toContain('%ff');
    expect(kept()).toContain('a.js');
  }));

test('code copies: a scrub that finds something bad gives them up, one that does not leaves them; so does eviction of what they are of', () =>
  withScrubRig(site, async (rig) => {
    const service = await rig.start();
    await service.open({ release: rig.release, background: true, loader: 'tab' });
    await rig.complete(service);
    await service.close();
    const image = await Image.open(site.bootstrap);
    const inode = image.lookup('a.js')!;
    const record = image.blob([...image.mapRange(inode, 0, 1)][0]!.blob);

    const caches = new MemoryCaches();
    const next = await rig.start(undefined, caches);
    await next.open({ release: rig.release, background: false, loader: 'tab' });
    const scope = `${rig.origin.url}/app/`;
    keptBefore(caches, scope, image.inode(inode).tag);
    const signal = new AbortController().signal;
    expect((await next.scrub(site.image, signal)).bad).toEqual([]);
    expect(caches.caches.get(codeCacheName(scope))?.size).toBe(1);
    await rig.scribble(record, record.length - 5, Uint8Array.of(1, 2, 3, 4, 5));
    expect((await next.scrub(site.image, signal)).bad).toHaveLength(1);
    expect(caches.caches.get(codeCacheName(scope))?.size ?? 0).toBe(0);

    await rig.complete(next);
    keptBefore(caches, scope, image.inode(inode).tag);
    await next.evict(site.image, []);
    expect(caches.caches.get(codeCacheName(scope))?.size ?? 0).toBe(0);
  }));
