import { getMany, setMany } from 'idb-keyval';
import { type ReleaseRecord, releaseSettingName } from '../src/protocol/messages.ts';

/** The clients (pages and their workers) that exist, by id. */
export type LiveClients = () => Promise<readonly string[]>;

/**
 * Which image is served to whom: the current release to new pages, and to each page that is open the one that it began with, so that no
 * tab ever sees two versions. Kept in IndexedDB, since this worker is killed and restarted at any time.
 *
 * Invariant: `#bound` has every live client of another image than the current one. Clients that are not in it have the current
 * one; as long as there is one version, it is empty and nothing is written.
 */
export class Releases {
  readonly #name: string;
  readonly #liveClients: LiveClients;
  #current: ReleaseRecord | undefined;
  readonly #bound = new Map<string, ReleaseRecord>();
  #loading: Promise<void> | undefined;
  #loaded = false;
  #tellFirst!: (release: ReleaseRecord) => void;
  /** Resolves with the release that was the first to be adopted since this worker started. */
  readonly adopted = new Promise<ReleaseRecord>((resolve) => {
    this.#tellFirst = resolve;
  });

  constructor(scope: string, liveClients: LiveClients) {
    this.#name = releaseSettingName(scope);
    this.#liveClients = liveClients;
  }

  /** What was known before this worker was restarted. The synchronous methods need it once. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** What a new page gets; undefined where nothing is known yet. */
  get current(): ReleaseRecord | undefined {
    return this.#current;
  }

  /** What a page or worker that exists gets. `clientId` may be '' (not known). */
  of(clientId: string): ReleaseRecord | undefined {
    return this.#bound.get(clientId) ?? this.#current;
  }

  /** Binds a worker to the image of the page that makes it. */
  async inherit(clientId: string, parentId: string): Promise<void> {
    const release = this.#bound.get(parentId);
    if (!release || clientId === '') return;
    this.#bound.set(clientId, release);
    await this.#save();
  }

  /** Makes `release` what new pages get. The pages that are open keep theirs. */
  async adopt(release: ReleaseRecord): Promise<void> {
    await this.load();
    const previous = this.#current;
    if (previous?.image === release.image) return;
    // The first one is known at once: the navigation that it is for comes right behind it.
    if (previous) {
      const live = new Set(await this.#liveClients());
      for (const id of this.#bound.keys()) if (!live.has(id)) this.#bound.delete(id);
      for (const id of live) if (!this.#bound.has(id)) this.#bound.set(id, previous);
    }
    this.#current = release;
    this.#tellFirst(release);
    await this.#save();
  }

  async #load(): Promise<void> {
    try {
      const [current, bound] = await getMany([this.#name, this.#boundName]);
      this.#current = current as ReleaseRecord | undefined;
      for (const [id, release] of (bound as [string, ReleaseRecord][] | undefined) ?? [])
        this.#bound.set(id, release);
    } catch (error) {
      // Without IndexedDB the release is asked of the server at each start.
      console.warn('sluice: the current release could not be read', error);
    }
    this.#loaded = true;
  }

  async #save(): Promise<void> {
    try {
      await setMany([
        [this.#name, this.#current],
        [this.#boundName, [...this.#bound]],
      ]);
    } catch (error) {
      console.warn('sluice: the current release could not be kept', error);
    }
  }

  get #boundName(): string {
    return `${this.#name}:bound`;
  }
}
