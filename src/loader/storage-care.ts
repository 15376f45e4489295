import type { FsmapPage, FsmapQuery } from '../format/fsmap.ts';
import type { Clock } from '../protocol/clock.ts';
import type { Engine } from './engine.ts';
import { blobsOfFiles, blobsOnlyOf } from './file-blobs.ts';
import { KnownImages } from './known-images.ts';
import type { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';
import { StoreMap } from './store-map.ts';

export interface StorageCareOptions {
  readonly engine: Engine;
  readonly local: LocalBlocks;
  readonly clock: Clock;
}

/** What becomes of stored blobs on behalf of whoever mounted an image: kept, given back, told of. */
export class StorageCare {
  readonly #engine: Engine;
  readonly #local: LocalBlocks;
  readonly #images: KnownImages;
  readonly #map: StoreMap;

  constructor({ engine, local, clock }: StorageCareOptions) {
    this.#engine = engine;
    this.#local = local;
    this.#images = new KnownImages(engine, local);
    this.#map = new StoreMap(this.#images, local, clock);
  }

  /**
   * Keeps the blobs that hold these files from being culled and evicted, present or not, or no longer; no paths = all of the image. It is blobs that
   * are pinned: files that share one share its pin. Durable when it resolves. Throws `ENOENT`, `EISDIR`, `ENOSPC`.
   */
  pin({ tree }: Mount, paths: readonly string[], pinned: boolean): Promise<void> {
    return this.#local.pin(blobsOfFiles(tree, paths), pinned);
  }

  /**
   * Gives back the room of the blobs that hold these files (no paths = all of the image) and nothing else that is needed: by other files of the
   * image, by other images that are stored or mounted, by a pin. Files made at run time stay: their blobs have no other copy. The image is no longer
   * completed in the background, until somebody mounts it anew. Throws `ENOENT`, `EISDIR`, `ENOSPC`.
   */
  async evict(mount: Mount, paths: readonly string[]): Promise<void> {
    const leaving = blobsOnlyOf(mount.tree, paths);
    this.#engine.leaveIncomplete(mount);
    const own = mount.image.id;
    for (const id of this.#images.ids()) {
      if (id === own) continue;
      // Of one that cannot be read nothing is known to be needed: what it shares with this one is fetched again.
      for (const sha256 of (await this.#images.blobsOf(id)) ?? []) leaving.delete(sha256);
    }
    await this.#engine.evict([...leaving].filter((sha256) => !this.#local.pinned(sha256)));
  }

  fsmap(query: FsmapQuery): Promise<FsmapPage> {
    return this.#map.page(query);
  }

  close(): void {
    this.#map.close();
  }
}
