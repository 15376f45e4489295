import type { FsmapPage, FsmapQuery } from '../format/fsmap.ts';
import type { Clock } from '../protocol/clock.ts';
import { Culler } from './culler.ts';
import type { Room } from './culling.ts';
import type { Engine } from './engine.ts';
import { blobsOfFiles, blobsOnlyOf } from './file-blobs.ts';
import { type ImageUse, ImageUses, type LoaderLocks } from './image-uses.ts';
import { KnownImages } from './known-images.ts';
import type { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';
import { StoreMap } from './store-map.ts';

export interface StorageCareOptions {
  readonly engine: Engine;
  readonly local: LocalBlocks;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  readonly scope: string;
  /** The leader's own. */
  readonly loader: string;
  readonly locks: LoaderLocks;
  /** How much of the quota is used; undefined where the platform does not tell. */
  readonly estimate: () => Promise<Room | undefined>;
  /** Whether the leader has opened the image. */
  readonly isOpen: (image: string) => boolean;
  /** Blobs of images that nobody uses were given back. */
  readonly onCulled: () => void;
}

/** What becomes of stored blobs on behalf of whoever mounted an image: kept, given back, told of. */
export class StorageCare {
  readonly #engine: Engine;
  readonly #local: LocalBlocks;
  readonly #images: KnownImages;
  readonly #map: StoreMap;
  readonly #uses: ImageUses;
  readonly #culler: Culler;

  constructor(options: StorageCareOptions) {
    const { engine, local, clock, random, scope, loader, locks, estimate, isOpen, onCulled } = options;
    this.#engine = engine;
    this.#local = local;
    this.#images = new KnownImages(engine, local);
    this.#map = new StoreMap(this.#images, local, clock);
    const onEnd = (image: string): void => this.#noteUse(image);
    this.#uses = new ImageUses({ locks, scope, loader, onEnd });
    const images = this.#images;
    const uses = this.#uses;
    this.#culler = new Culler({ engine, local, images, uses, clock, random, estimate, isOpen, onCulled });
  }

  /** A loader uses an image from now on, until its Web Lock is released. */
  use({ loader, image, isInspector }: ImageUse): void {
    this.#uses.begin(loader, image, isInspector);
    this.#noteUse(image);
  }

  /** What was stored of the image lately is worth keeping. */
  #noteUse(image: string): void {
    this.#local.images.used(image, Date.now());
    this.#engine.commitSoon();
    this.#culler.look();
  }

  /** So many bytes were written and committed. */
  wrote(bytes: number): void {
    this.#culler.wrote(bytes);
  }

  /** The platform has no room: makes some, if there is something to cull. */
  makeRoom(): Promise<void> {
    return this.#culler.makeRoom();
  }

  /** Storing has stopped: it goes on when there is room again, or what it has stopped for has passed. */
  stopped(): void {
    this.#culler.lookAgain();
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
    this.#culler.look();
  }

  /** Which loaders use which images, as far as they have said. */
  uses(): ImageUse[] {
    return this.#uses.all();
  }

  get images(): KnownImages {
    return this.#images;
  }

  /** See {@link Culler.next}. */
  nextToGo(most: number): Promise<{ readonly sha256: string; readonly bytes: number }[]> {
    return this.#culler.next(most);
  }

  fsmap(query: FsmapQuery): Promise<FsmapPage> {
    return this.#map.page(query);
  }

  close(): void {
    this.#uses.close();
    this.#culler.close();
    this.#map.close();
  }
}
