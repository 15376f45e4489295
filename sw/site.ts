import { decodeBlock } from '../src/codec/decode-block.ts';
import { asSluiceError } from '../src/format/errors.ts';
import type { FileTree } from '../src/image/file-tree.ts';
import { Image } from '../src/image/image.ts';
import { systemClock } from '../src/protocol/clock.ts';
import { withDeadline } from '../src/protocol/deadline.ts';
import type { ProvideBlocks, ReleaseRecord, ServiceWorkerToPage } from '../src/protocol/messages.ts';
import type { MappingCounts } from '../src/protocol/state.ts';
import { fetchRelease } from '../src/source/fetch-release.ts';
import { HttpSource } from '../src/source/http-source.ts';
import { BlockReader } from './block-reader.ts';
import { CodeCopies } from './code-copies.ts';
import { fetchImage } from './fetch-image.ts';
import { HeldReads } from './held-reads.ts';
import { Images } from './images.ts';
import { type LoaderPort, LoaderPorts } from './loader-ports.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { LongAnswers } from './long-answers.ts';
import { ReadTimeouts } from './read-timeouts.ts';
import { type FetchFacts, isNested, readerOf } from './reader-of.ts';
import { Relay } from './relay.ts';
import { Releases } from './releases.ts';
import { type RuntimeBuild, RuntimeFiles } from './runtime-files.ts';
import { SelfFetch } from './self-fetch.ts';
import { servedPages } from './served-pages.ts';
import { ServedReads } from './served-reads.ts';
import { StoreView } from './store-view.ts';
import { Zstd } from './zstd.ts';

/** A bootstrap is small and asked for first: a loader that is busy with worse is not waited for long. */
const bootstrapFromLoaderMs = 5000;
/** A store that has not answered by then counts as one without the bootstrap. */
const storeDeadlineMs = 5000;

/** What a client is answered from. */
export interface Version {
  readonly release: ReleaseRecord;
  /** With what was changed in it at run time. */
  readonly image: FileTree;
}

const nothingAround = { asking: undefined, windows: [] };

/**
 * Everything that the service worker of one site holds, wired up. Nothing in it is the only copy of anything: a restarted worker builds it
 * again from IndexedDB, the local store and the ports that pages broker anew.
 */
export class Site {
  readonly scope: string;
  readonly releases: Releases;
  readonly readTimeouts: ReadTimeouts;
  readonly held: HeldReads;
  readonly longAnswers: LongAnswers;
  readonly ports: LoaderPorts;
  readonly served: ServedReads;
  readonly reader: BlockReader;
  readonly relay: Relay;
  readonly runtimeFiles: RuntimeFiles;
  readonly copies: CodeCopies;
  readonly zstd: Zstd;
  readonly #images: Images;
  readonly #source: HttpSource;
  readonly #selfFetch: SelfFetch;
  readonly #clients: Clients;
  readonly #store: StoreView;
  #asking: Promise<ReleaseRecord | undefined> | undefined;

  constructor(
    scope: string,
    build: RuntimeBuild,
    worker: Pick<ServiceWorkerGlobalScope, 'clients' | 'caches' | 'navigator'>,
  ) {
    this.scope = scope;
    this.#clients = worker.clients;
    this.#source = new HttpSource({ base: scope, fetch });
    this.#selfFetch = new SelfFetch(this.#source, {
      storedTable: async (record) => (await this.local())?.table(record),
      take: (message) => this.#giveToLeader(message),
    });
    this.releases = new Releases(scope, () => this.#clientsToServe());
    this.readTimeouts = new ReadTimeouts(scope);
    this.held = new HeldReads(async (id) => (await worker.clients.get(id)) !== undefined);
    this.longAnswers = new LongAnswers(() => this.#tellPages({ type: 'sluice:stay-awake' }));
    this.copies = new CodeCopies(scope, worker.caches);
    this.runtimeFiles = new RuntimeFiles(scope, build, worker.caches, (input, init) => fetch(input, init));
    this.zstd = new Zstd(scope, this.runtimeFiles, (input, init) => fetch(input, init));
    this.#store = new StoreView(scope, () => this.ports.best !== undefined);
    this.ports = new LoaderPorts({
      locks: worker.navigator.locks,
      askForPort: () => this.#askForPort(true),
      onHello: (port) => this.#onHello(port),
      onStoreChanged: (seen, isDropped) => this.#onStoreChanged(seen, isDropped),
      onImageComplete: () => this.#completeRuntime(),
      facts: async (clients) => ({
        mappings: await this.mappings(),
        pages: await servedPages(this.#clients, clients),
      }),
    });
    this.served = new ServedReads(() => this.ports.best);
    this.reader = new BlockReader({
      local: this.local,
      ports: this.ports,
      selfFetch: this.#selfFetch,
      served: this.served,
      decode: ({ codec, bytes, logicalLength }) => decodeBlock(codec, bytes, logicalLength, this.zstd.start),
    });
    this.relay = new Relay({ local: this.local, reader: this.reader, ports: this.ports });
    this.#images = new Images(
      [
        (release) => this.#imageFromStore(release),
        (release) => this.#imageFromLoader(release),
        (release) => fetchImage(release, { source: this.#source, clock: systemClock, random: Math.random }),
      ],
      (image) => this.#startZstd(image),
    );
    // The ports that were there before a restart died with it, which loaders are not told.
    this.#askForPort(false);
  }

  /** Readers of the local store; undefined where there is none. */
  readonly local = async (): Promise<LocalBlocks | undefined> => (await this.#store.open())?.blocks;

  /** How often it was known where bytes are. */
  async mappings(): Promise<MappingCounts> {
    const local = await this.local();
    return local?.mappings.counts ?? { hits: 0, misses: 0, revalidations: 0 };
  }

  /** Begins at once, side by side, what a first answer waits for. For a worker that was started again; where that fails, the answer says why. */
  async prepare(): Promise<void> {
    void this.#store.open();
    void this.readTimeouts.load();
    await this.releases.load();
    if (this.releases.current) await this.#images.open(this.releases.current);
  }

  /** The id of the client whose version answers ('' = that of new pages), if that can be told at once. */
  readerIdNow(event: FetchFacts): string | undefined {
    if (!this.releases.loaded || this.#mustLookAround(event)) return undefined;
    return readerOf(event, this.scope, nothingAround);
  }

  /** The same, whatever it takes. */
  async readerId(event: FetchFacts): Promise<string> {
    await this.releases.load();
    if (!this.#mustLookAround(event)) return readerOf(event, this.scope, nothingAround);
    const { clientId } = event;
    const [asking, windows] = await Promise.all([
      clientId === '' ? undefined : this.#clients.get(clientId),
      this.#clients.matchAll({ type: 'window' }),
    ]);
    const reader = readerOf(event, this.scope, { asking, windows });
    const release = this.releases.of(reader);
    // Once for each client: what it got it keeps.
    if (release) await this.releases.begin(clientId, release);
    return reader;
  }

  /** While tabs of several versions are open: a page in a frame, or somebody who has not asked before. */
  #mustLookAround({ request, clientId }: FetchFacts): boolean {
    if (!this.releases.mixed) return false;
    return clientId === '' ? isNested(request) : !this.releases.knows(clientId);
  }

  /** The version of a client, if it is at hand. */
  versionNow(clientId: string): Version | undefined {
    const release = this.releases.loaded ? this.releases.of(clientId) : undefined;
    const image = release && this.#images.peek(release.image);
    const tree = image && this.#store.treeNow(image);
    return tree && { release, image: tree };
  }

  /**
   * The same, whatever it takes. Undefined where no release is known and the site does not tell one either: then nothing is ours.
   * Throws when there is a release and its image cannot be had.
   */
  async version(clientId: string): Promise<Version | undefined> {
    await Promise.all([this.releases.load(), this.readTimeouts.load()]);
    const release = this.releases.of(clientId);
    if (!release) {
      const published = await this.#publishedRelease();
      return published && this.#openAndAdopt(published);
    }
    try {
      return { release, image: await this.#store.tree(this.#images.open(release)) };
    } catch (error) {
      if (release !== this.releases.current) throw error;
      // What we know may be gone from the server and from here: only a newer release can help then.
      const next = await this.replacement(release);
      if (!next) throw error;
      return next;
    }
  }

  /** What the server names now, if that is another one than `release`: from then on new pages get it. Throws, and changes nothing, when it cannot be opened. */
  async replacement(release: ReleaseRecord): Promise<Version | undefined> {
    const published = await this.#publishedRelease();
    return published && published.image !== release.image ? this.#openAndAdopt(published) : undefined;
  }

  /** A page or worker that is only coming, made by `parentId` if that is known, was answered from `release`. */
  async begin(clientId: string, parentId: string, release: ReleaseRecord): Promise<void> {
    await Promise.all([
      this.releases.begin(clientId, release),
      this.readTimeouts.set(clientId, this.readTimeouts.of(parentId)),
    ]);
  }

  /** New pages get this image from now on. Throws, and changes nothing, when it cannot be opened. */
  async adopt(release: ReleaseRecord): Promise<void> {
    await this.releases.load();
    // The first one is believed at once: its page's loader has verified it, and is just about to store it.
    if (this.releases.current) await this.#openAndAdopt(release);
    else await this.releases.adopt(release);
  }

  /** Asks the server whether there is another image for new pages. Never rejects: a site that cannot be asked stays as it is. */
  async lookForRelease(): Promise<void> {
    const { current } = this.releases;
    try {
      if (current) await this.replacement(current);
    } catch (error) {
      console.warn('sluice: the new release is not taken', error);
    }
  }

  async #openAndAdopt(release: ReleaseRecord): Promise<Version> {
    const image = await this.#images.open(release);
    await this.releases.adopt(release);
    return { release, image: await this.#store.tree(image) };
  }

  /** Asked once, however many requests wait for it. */
  #publishedRelease(): Promise<ReleaseRecord | undefined> {
    this.#asking ??= fetchRelease({ base: this.scope, fetch })
      .catch((error: unknown) => {
        console.info('sluice: the server tells no release', error);
        return undefined;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #imageFromStore({ image }: ReleaseRecord): Promise<Image | undefined> {
    const bytes = await withDeadline('The local store', this.#storedBootstrap(image), storeDeadlineMs);
    return bytes && Image.open(bytes, { sha256: image });
  }

  async #storedBootstrap(image: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const store = await this.#store.open();
    if (!store) return undefined;
    const known = await store.reader.image(image);
    if (known) return known;
    await store.reader.refresh();
    return store.reader.image(image);
  }

  async #imageFromLoader({ image }: ReleaseRecord): Promise<Image | undefined> {
    const bytes = await this.ports.best?.readBootstrap(image, bootstrapFromLoaderMs);
    return bytes && Image.open(bytes, { sha256: image });
  }

  /** `seen` is told when what is on disk now is what is answered by. `isDropped`: what was read before may be what was found bad. */
  #onStoreChanged(seen: () => void, isDropped: boolean): void {
    const forget = (): void => {
      if (isDropped) this.reader.forgetDecoded();
    };
    this.#store
      .changed()
      .finally(() => {
        forget();
        // Whoever told it may be gone by now.
        void this.relay.goOn();
      })
      .then(seen, (error: unknown) => {
        // What was read before stays true, or is not asked for again; the loader answers for the rest.
        console.warn('sluice: the local store could not be read again', error);
      });
  }

  #onHello(port: LoaderPort): void {
    // What was changed before it was connected, it told nobody.
    this.#onStoreChanged(() => {}, false);
    if (port.role === 'leader') {
      for (const message of this.#selfFetch.handOver()) port.post(message);
      for (const message of this.#selfFetch.underWay) port.post(message);
    }
    this.served.flush();
    this.held.sweep().catch((error) => console.warn('sluice: reads of closed pages go on', error));
    // It has the image: the next navigation finds it open.
    const { current } = this.releases;
    if (current)
      this.#images.open(current).catch((error) => console.info('sluice: image not opened ahead', error));
  }

  #giveToLeader(message: ProvideBlocks): boolean {
    const port = this.ports.best;
    if (port?.role !== 'leader') return false;
    port.post(message);
    return true;
  }

  /** Ahead of the first block that needs it. */
  #startZstd({ usesZstd }: Image): void {
    if (!usesZstd) return;
    this.zstd
      .start()
      .catch((error: unknown) => console.info('sluice: no zstd decoder yet', asSluiceError(error).message));
  }

  /** Brings what launches need offline, besides the image. Throws as RuntimeFiles.bring and Zstd.keep do. */
  async bringRuntime(): Promise<void> {
    await Promise.all([this.runtimeFiles.bring('all'), this.#bringZstd()]);
  }

  async #bringZstd(): Promise<void> {
    await this.releases.load();
    const { current } = this.releases;
    if (!current) return;
    // An image that cannot be opened now may be one that needs it.
    const image = await this.#images.open(current).catch(() => undefined);
    if (image?.usesZstd !== false) await this.zstd.keep();
  }

  #completeRuntime(): void {
    this.bringRuntime().catch((error: unknown) =>
      console.warn('sluice: not all of the runtime is kept', asSluiceError(error).message),
    );
  }

  #askForPort(waiting: boolean): void {
    this.#tellPages({ type: 'sluice:need-loader-port', waiting });
  }

  #tellPages(message: ServiceWorkerToPage): void {
    this.#clients.matchAll({ type: 'window' }).then(
      (windows) => {
        for (const client of windows) client.postMessage(message);
      },
      (error: unknown) => console.warn('sluice: no page can be told', message.type, error),
    );
  }

  /**
   * The pages and workers that this worker answers (workers made from blob: URLs too), and those that it has answered lately: a page in the back/forward cache
   * is none that exists (Chromium 156), and comes back.
   */
  async #clientsToServe(): Promise<readonly string[]> {
    const [live] = await Promise.all([this.#clients.matchAll({ type: 'all' }), this.readTimeouts.load()]);
    return [...live.map(({ id }) => id), ...this.readTimeouts.clients];
  }
}
