import { getMany, setMany } from 'idb-keyval';
import { withDeadline } from '../src/protocol/deadline.ts';
import { type ReleaseRecord, releaseSettingName } from '../src/protocol/messages.ts';
import { settingsStore } from '../src/protocol/settings-store.ts';
import { isRelease } from '../src/protocol/shapes.ts';

/** The clients (pages and their workers) that exist, or may come back, by id. */
export type LiveClients = () => Promise<readonly string[]>;

/** IndexedDB answers within milliseconds or, where it is broken, perhaps never; every first answer waits for it. */
export const idbDeadlineMs = 3000;
/** Clients that were answered lately and may not exist yet. */
const maxComing = 100;
/** An old tab that makes worker after worker must not fill the map. */
const maxBound = 300;

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
  /** What pages and workers got lately, that have perhaps not come up yet and so are not among the live ones. Oldest first. */
  readonly #coming = new Map<string, ReleaseRecord>();
  #loading: Promise<void> | undefined;
  #loaded = false;

  constructor(scope: string, liveClients: LiveClients) {
    this.#name = releaseSettingName(scope);
    this.#liveClients = liveClients;
  }

  /** What was known before this worker was restarted. The synchronous methods need it once. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** The same again, for a worker that takes over: what it read while it waited, the one before it has changed since. */
  reload(): Promise<void> {
    this.#loading = this.#load();
    return this.#loading;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** What a new page gets; undefined where nothing is known yet. */
  get current(): ReleaseRecord | undefined {
    return this.#current;
  }

  /** Whether there are clients of another release than the current one. */
  get mixed(): boolean {
    return this.#bound.size > 0;
  }

  /** Whether it is on record what the client was answered from. */
  knows(clientId: string): boolean {
    return this.#bound.has(clientId) || this.#coming.has(clientId);
  }

  /** What a page or worker that exists gets. `clientId` may be '' (not known). */
  of(clientId: string): ReleaseRecord | undefined {
    return this.#bound.get(clientId) ?? this.#current;
  }

  /** A page or worker, perhaps only coming, is answered from `release`, and keeps it. */
  async begin(clientId: string, release: ReleaseRecord): Promise<void> {
    if (clientId === '') return;
    this.#coming.set(clientId, release);
    for (const oldest of this.#coming.keys()) {
      if (this.#coming.size <= maxComing) break;
      this.#coming.delete(oldest);
    }
    if (release.image === this.#current?.image) {
      // It may have been answered from another one before, which could not be had.
      if (this.#bound.delete(clientId)) await this.#save();
      return;
    }
    this.#bound.set(clientId, release);
    if (this.#bound.size > maxBound) this.#forgetDead(await this.#liveClients());
    await this.#save();
  }

  /** Makes `release` what new pages get. The pages that are open, or coming, keep theirs. */
  async adopt(release: ReleaseRecord): Promise<void> {
    await this.load();
    if (this.#current?.image === release.image) return;
    // The first one is known at once: the navigation that it is for comes right behind it.
    const live = this.#current ? await this.#liveClients() : [];
    const previous = this.#current;
    if (previous) {
      this.#forgetDead(live);
      const theirs = new Map([...live.map((id) => [id, previous] as const), ...this.#coming]);
      for (const [id, its] of theirs) if (!this.#bound.has(id)) this.#bound.set(id, its);
    }
    this.#current = release;
    await this.#save();
  }

  #forgetDead(live: readonly string[]): void {
    const known = new Set([...live, ...this.#coming.keys()]);
    for (const id of this.#bound.keys()) if (!known.has(id)) this.#bound.delete(id);
  }

  async #load(): Promise<void> {
    try {
      const kept = getMany([this.#name, this.#boundName], settingsStore);
      const [current, bound] = await withDeadline('IndexedDB', kept, idbDeadlineMs);
      // What another version has left there may be anything.
      if (isRelease(current)) this.#current = current as ReleaseRecord;
      this.#bound.clear();
      for (const [id, release] of (bound as [string, unknown][] | undefined) ?? [])
        if (isRelease(release)) this.#bound.set(id, release as ReleaseRecord);
    } catch (error) {
      // Without IndexedDB the release is asked of the server at each start.
      console.warn('sluice: the current release could not be read', error);
    }
    this.#loaded = true;
  }

  async #save(): Promise<void> {
    const entries: [string, unknown][] = [
      [this.#name, this.#current],
      [this.#boundName, [...this.#bound]],
    ];
    try {
      await withDeadline('IndexedDB', setMany(entries, settingsStore), idbDeadlineMs);
    } catch (error) {
      console.warn('sluice: the current release could not be kept', error);
    }
  }

  get #boundName(): string {
    return `${this.#name}:bound`;
  }
}
