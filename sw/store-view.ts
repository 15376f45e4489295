import type { FileTree } from '../src/image/file-tree.ts';
import type { Image } from '../src/image/image.ts';
import { MountedTree } from '../src/image/mounted-tree.ts';
import { withDeadline } from '../src/protocol/deadline.ts';
import { openOpfsFolder } from '../src/store/opfs-folder.ts';
import { storeFolder } from '../src/store/store-paths.ts';
import { StoreReader } from '../src/store/store-reader.ts';
import { LocalBlocks } from './local-blocks.ts';

/** A store that cannot be opened by then counts as none, until a loader has news of it. */
const storeDeadlineMs = 5000;

export interface LocalStore {
  readonly reader: StoreReader;
  readonly blocks: LocalBlocks;
}

/**
 * The local store as the service worker sees it. While a loader is connected, it tells of every change, and what was read is what is there. Without one
 * (after a restart, until a page brings a port) nobody would: then the journal is looked at for each question, which is one small read.
 */
export class StoreView {
  readonly #scope: string;
  readonly #hasLoader: () => boolean;
  #store: Promise<LocalStore | undefined> | undefined;
  /** What {@link #store} came to, as soon as it is known. */
  #opened: { readonly store: LocalStore | undefined } | undefined;
  /** Everything that no loader has told of was read since. */
  #current = false;

  constructor(scope: string, hasLoader: () => boolean) {
    this.#scope = scope;
    this.#hasLoader = hasLoader;
  }

  /** The store, as it was when it was read last; undefined where there is none. */
  open(): Promise<LocalStore | undefined> {
    this.#store ??= openStore(this.#scope).then((store) => {
      this.#opened = { store };
      return store;
    });
    return this.#store;
  }

  /** The image with what was changed in it at run time, if that can be told at once. */
  treeNow(image: Image): FileTree | undefined {
    return this.#current && this.#opened ? treeOf(image, this.#opened.store) : undefined;
  }

  /** The same, whatever it takes; the store is looked at while the image opens. Throws what opening it throws. */
  async tree(opening: Image | Promise<Image>): Promise<FileTree> {
    const [image, store] = await Promise.all([opening, this.#latest()]);
    return treeOf(image, store);
  }

  async #latest(): Promise<LocalStore | undefined> {
    const store = await this.open();
    if (store && !this.#current) {
      const refreshed = withDeadline('The local store', store.reader.refresh(), storeDeadlineMs);
      await refreshed.catch((error: unknown) => {
        // What was read before stays true of blocks; a loader answers for the rest.
        console.warn('sluice: the local store could not be read again', error);
      });
    }
    return store;
  }

  /** A loader has come, gone, or changed the store: resolves when what is on disk now is what is answered by. */
  async changed(): Promise<void> {
    if (!this.#hasLoader()) this.#current = false;
    await this.#refresh();
    this.#current = this.#hasLoader();
  }

  async #refresh(): Promise<void> {
    const known = this.#store;
    const store = await this.open();
    if (store) return store.reader.refresh();
    // It was not to be had; somebody has used it since.
    if (known && this.#store === known) this.#store = undefined;
    await this.open();
  }
}

function treeOf(image: Image, store: LocalStore | undefined): FileTree {
  const overlay = store?.reader.overlay(image.id);
  return overlay === undefined || overlay.sequence === 0 ? image : new MountedTree(image, overlay);
}

async function openStore(scope: string): Promise<LocalStore | undefined> {
  const folder = await openOpfsFolder(await storeFolder(scope), (reason) =>
    console.info('sluice: no local store', reason.message),
  );
  if (!folder) return undefined;
  try {
    const reader = await withDeadline('The local store', StoreReader.open(folder), storeDeadlineMs);
    return { reader, blocks: new LocalBlocks(reader) };
  } catch (error) {
    console.warn('sluice: the local store cannot be used', error);
    return undefined;
  }
}
