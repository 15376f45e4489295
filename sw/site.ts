import { decodeBlock } from '../src/codec/decode-block.ts';
import type { Image } from '../src/image/image.ts';
import type { ReleaseRecord, ServiceWorkerToPage } from '../src/protocol/messages.ts';
import { fetchPublished } from '../src/source/fetch-published.ts';
import { fetchRelease } from '../src/source/fetch-release.ts';
import { HttpSource } from '../src/source/http-source.ts';
import { openOpfsDirectory } from '../src/store/opfs-directory.ts';
import { storeFolder } from '../src/store/store-paths.ts';
import { StoreReader } from '../src/store/store-reader.ts';
import { BlockReader } from './block-reader.ts';
import { BoundedCache } from './bounded-cache.ts';
import { asSluiceError } from './errors.ts';
import { Images } from './images.ts';
import { type LoaderPort, LoaderPorts } from './loader-ports.ts';
import { LocalBlocks } from './local-blocks.ts';
import { Releases } from './releases.ts';
import { RuntimeFiles } from './runtime-files.ts';
import { SelfFetch } from './self-fetch.ts';

/** A reader's deadline where its page set no other. */
const defaultReadTimeoutMs = 30_000;
/** A bootstrap is small and asked for first: a loader that is busy with worse is not waited for long. */
const bootstrapFromLoaderMs = 5000;
const bootstrapFromNetworkMs = 30_000;

interface LocalStore {
  readonly reader: StoreReader;
  readonly blocks: LocalBlocks;
}

/**
 * Everything that the service worker of one site holds, wired up. Nothing in it is the only copy of anything: a restarted worker builds it
 * again from IndexedDB, the local store and the ports that pages broker anew.
 */
export class Site {
  readonly scope: string;
  readonly releases: Releases;
  readonly ports: LoaderPorts;
  readonly reader: BlockReader;
  readonly runtimeFiles: RuntimeFiles;
  readonly #images: Images;
  readonly #source: HttpSource;
  readonly #selfFetch: SelfFetch;
  readonly #clients: Clients;
  /** By client id. Lost with this worker; pages send theirs with each port. */
  readonly #readTimeouts = new BoundedCache<number>(1000);
  #store: Promise<LocalStore | undefined> | undefined;

  constructor(
    scope: string,
    build: string,
    worker: Pick<ServiceWorkerGlobalScope, 'clients' | 'caches' | 'navigator'>,
  ) {
    this.scope = scope;
    this.#clients = worker.clients;
    this.#source = new HttpSource({ base: scope, fetch });
    this.#selfFetch = new SelfFetch(this.#source);
    this.releases = new Releases(scope, async () => (await this.#liveClients()).map(({ id }) => id));
    this.runtimeFiles = new RuntimeFiles(scope, build, worker.caches);
    this.ports = new LoaderPorts({
      locks: worker.navigator.locks,
      askForPort: () => void this.#askForPort(),
      onHello: (port) => this.#onHello(port),
      onStoreChanged: () => this.#refreshStore(),
      onImageComplete: () => this.#completeRuntime(),
    });
    this.reader = new BlockReader({
      local: this.local,
      ports: this.ports,
      selfFetch: this.#selfFetch,
      decode: ({ codec, bytes, logicalLength }) => decodeBlock(codec, bytes, logicalLength),
    });
    this.#images = new Images([
      (release) => this.#bootstrapFromStore(release),
      async (release) => this.ports.best?.readBootstrap(release.image, bootstrapFromLoaderMs),
      (release) =>
        fetchPublished(
          this.#source,
          { sha256: release.image, length: release.bytes },
          AbortSignal.timeout(bootstrapFromNetworkMs),
        ),
    ]);
  }

  /** Readers of the local store; undefined where there is none. */
  readonly local = async (): Promise<LocalBlocks | undefined> => (await this.#openStore())?.blocks;

  /** The image of a client ('' = a page that is only coming), if that can be told at once. */
  imageNow(clientId: string): Image | undefined {
    const release = this.releases.loaded ? this.releases.of(clientId) : undefined;
    return release && this.#images.peek(release.image);
  }

  /**
   * The same, whatever it takes. Undefined where no release is known and the site does not tell one either: then nothing is ours.
   * Throws when there is a release and its image cannot be had.
   */
  async image(clientId: string): Promise<Image | undefined> {
    await this.releases.load();
    const release = this.releases.of(clientId);
    if (!release) {
      // The boot page's reload and its word of the release come by different ways, either of them first.
      const told = await Promise.race([this.releases.adopted, this.#publishedRelease()]);
      return told && this.#openAndAdopt(told);
    }
    try {
      return await this.#images.open(release);
    } catch (error) {
      if (release !== this.releases.current) throw error;
      // What we know may be gone from the server and from here: only a newer release can help then.
      const published = await this.#publishedRelease();
      if (!published || published.image === release.image) throw error;
      return this.#openAndAdopt(published);
    }
  }

  /** New pages get this image from now on. Throws, and changes nothing, when it cannot be opened. */
  async adopt(release: ReleaseRecord): Promise<void> {
    await this.releases.load();
    // The first one is believed at once: its page's loader has verified it, and is just about to store it.
    if (this.releases.current) await this.#openAndAdopt(release);
    else await this.releases.adopt(release);
  }

  readTimeoutOf(clientId: string): number {
    return this.#readTimeouts.get(clientId) ?? defaultReadTimeoutMs;
  }

  setReadTimeout(clientId: string, ms: number): void {
    this.#readTimeouts.set(clientId, ms, 1);
  }

  /** A worker has its page's image and settings. */
  async inherit(clientId: string, parentId: string): Promise<void> {
    const ms = this.#readTimeouts.get(parentId);
    if (ms !== undefined && clientId !== '') this.setReadTimeout(clientId, ms);
    await this.releases.inherit(clientId, parentId);
  }

  async #openAndAdopt(release: ReleaseRecord): Promise<Image> {
    const image = await this.#images.open(release);
    await this.releases.adopt(release);
    return image;
  }

  async #publishedRelease(): Promise<ReleaseRecord | undefined> {
    try {
      return await fetchRelease({ base: this.scope, fetch, signal: new AbortController().signal });
    } catch (error) {
      console.info('sluice: the server tells no release', error);
      return undefined;
    }
  }

  async #bootstrapFromStore({ image }: ReleaseRecord): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const store = await this.#openStore();
    if (!store) return undefined;
    const known = await store.reader.image(image);
    if (known) return known;
    await store.reader.refresh();
    return store.reader.image(image);
  }

  #openStore(): Promise<LocalStore | undefined> {
    this.#store ??= openStore(this.scope);
    return this.#store;
  }

  #refreshStore(): void {
    const known = this.#store;
    known
      ?.then((store) => store?.reader.refresh())
      .catch((error: unknown) => {
        // What was read before stays true; the loader answers for the rest.
        console.warn('sluice: the local store could not be read again', error);
      });
  }

  #onHello(port: LoaderPort): void {
    if (port.role === 'leader') for (const message of this.#selfFetch.provisions()) port.post(message);
    // It has the image: the next navigation finds it open.
    const { current } = this.releases;
    if (current)
      this.#images.open(current).catch((error) => console.info('sluice: image not opened ahead', error));
  }

  #completeRuntime(): void {
    this.runtimeFiles
      .bring('all', { fresh: false })
      .catch((error) => console.warn('sluice: not all of the runtime is kept', asSluiceError(error).message));
  }

  async #askForPort(): Promise<void> {
    const message: ServiceWorkerToPage = { type: 'sluice:need-loader-port' };
    for (const client of await this.#liveClients()) if (client.type === 'window') client.postMessage(message);
  }

  /** The pages and workers that this worker answers (workers made from blob: URLs too). */
  #liveClients(): Promise<readonly Client[]> {
    return this.#clients.matchAll({ type: 'all' });
  }
}

async function openStore(scope: string): Promise<LocalStore | undefined> {
  const directory = await openOpfsDirectory(await storeFolder(scope), (reason) =>
    console.info('sluice: no local store', reason.message),
  );
  if (!directory) return undefined;
  try {
    const reader = await StoreReader.open(directory);
    return { reader, blocks: new LocalBlocks(reader) };
  } catch (error) {
    console.warn('sluice: the local store cannot be used', error);
    return undefined;
  }
}
