import { LINKS, type LinkShape } from '../../../bench/link.ts';
import { Image } from '../../../src/image/image.ts';
import { Engine } from '../../../src/loader/engine.ts';
import { FileReader } from '../../../src/loader/file-reader.ts';
import { LocalBlocks } from '../../../src/loader/local-blocks.ts';
import type { Mount } from '../../../src/loader/mount.ts';
import { zstdInNode } from '../../../src/pack/zstd-in-node.ts';
import { deferred } from '../../../src/protocol/deferred.ts';
import { BlockStore } from '../../../src/store/block-store.ts';
import { MemoryDirectory } from '../../../src/store/memory-directory.ts';
import { seededRandom } from '../../support/random.ts';
import type { Fixture } from '../site-fixture.ts';
import { LinkModel } from './link-model.ts';
import { VirtualClock } from './virtual-clock.ts';

export { LINKS };

/** The loader's engine, wholly real, at the end of a modelled link, in virtual time. */
export interface Simulation {
  readonly clock: VirtualClock;
  readonly link: LinkModel;
  readonly engine: Engine;
  readonly mount: Mount;
  /** Reads `[start, end)` of a file, as one who waits for it; answers how long that took, in milliseconds. */
  read(path: string, start?: number, end?: number, signal?: AbortSignal): Promise<number>;
  /** Resolves when the image is complete. */
  readonly complete: Promise<void>;
}

export async function simulate(
  site: Fixture,
  shape: LinkShape,
  run: (simulation: Simulation) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const store = await BlockStore.open(new MemoryDirectory());
  const local = new LocalBlocks(store, { clock, onFull: (reason) => engine.report(reason) });
  const link = new LinkModel(
    clock,
    shape,
    new Map(site.blobs.map(({ record, bytes }) => [record.sha256, bytes])),
  );
  const { promise: complete, resolve: completed } = deferred();
  const engine: Engine = new Engine({
    source: link,
    local,
    clock,
    random: seededRandom(7),
    onEvent: ({ type }) => {
      if (type === 'complete') completed();
    },
  });
  const mount = engine.mount(await Image.open(site.bootstrap, { sha256: site.image }));
  const files = new FileReader(engine, mount, zstdInNode);
  const read: Simulation['read'] = async (path, start = 0, end = Number.MAX_SAFE_INTEGER, signal) => {
    const since = clock.now();
    const bytes = await files.read(path, start, end, 120_000, signal);
    const wanted = site.files.get(path)!.subarray(start, end);
    if (Buffer.compare(bytes, wanted) !== 0) throw new Error(`${path} is not what was published`);
    return clock.now() - since;
  };
  try {
    await clock.countingDigests(() => clock.run(run({ clock, link, engine, mount, read, complete })));
  } finally {
    await engine.close();
    await local.close();
  }
}
