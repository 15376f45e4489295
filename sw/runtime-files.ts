import { zstdWasmFile } from '../src/codec/zstd-wasm.ts';
import { SluiceError } from '../src/format/errors.ts';
import { systemClock } from '../src/protocol/clock.ts';
import { withDeadline } from '../src/protocol/deadline.ts';
import { OriginError } from '../src/source/origin-error.ts';
import { retrying } from '../src/source/retrying.ts';
import { addIsolation } from './headers.ts';
import { runtimeFiles, runtimeFolder } from './route.ts';

/** What every page of the app begins with. */
const launchFiles = ['client.js', 'loader.js'];
/** What an image may do without is brought by whoever needs it. */
const allFiles = runtimeFiles.filter((name) => name !== zstdWasmFile);
/** Cache Storage answers within milliseconds or, where it is broken, perhaps never. */
const cacheDeadlineMs = 3000;
/** For one of these small files, from the first try to its last byte. */
const fetchDeadlineMs = 60_000;

/**
 * Our own files below `__sluice/`, kept in Cache Storage by the build of this service worker, so that a launch works offline and
 * a page never mixes the files of two builds.
 */
export class RuntimeFiles {
  readonly #scope: string;
  /** Of this worker's build. */
  readonly cacheName: string;
  readonly #caches: CacheStorage;

  /** `build` identifies the files that belong to this service worker. */
  constructor(scope: string, build: string, caches: CacheStorage) {
    this.#scope = scope;
    this.cacheName = `${this.#cachePrefix}${build}`;
    this.#caches = caches;
  }

  /**
   * From the cache, else from the network and then, while `keepAlive` lasts, into the cache. Throws `offline`, `read-timeout` or
   * `bad-origin`.
   */
  async respond(name: string, keepAlive: (work: Promise<void>) => void): Promise<Response> {
    const kept = await this.kept(name);
    if (kept) return kept;
    const response = await this.#fetch(name, 'default');
    // The decoder is kept by whoever has looked at its digest.
    if (name !== zstdWasmFile) keepAlive(this.keep(name, response.clone()));
    return response;
  }

  /**
   * Brings the files that are not here: those that the next page needs at once, or all. `fresh` goes past the HTTP cache: an update must
   * not take files of the build before it. Throws as {@link respond} does; what did come is kept.
   */
  async bring(which: 'launch' | 'all', options: { readonly fresh: boolean }): Promise<void> {
    const mode = options.fresh ? 'no-cache' : 'default';
    const names = which === 'all' ? allFiles : launchFiles;
    await Promise.all(
      names.map(async (name) => {
        if (!(await this.kept(name))) await this.keep(name, await this.#fetch(name, mode));
      }),
    );
  }

  /** Gives up the files of other builds. Call when this service worker has taken over. Never rejects: the next one tries again. */
  async retireOthers(): Promise<void> {
    const others = async (): Promise<void> => {
      for (const name of await this.#caches.keys()) {
        if (name.startsWith(this.#cachePrefix) && name !== this.cacheName) await this.#caches.delete(name);
      }
    };
    try {
      await withDeadline('Cache Storage', others(), cacheDeadlineMs);
    } catch (error) {
      console.warn('sluice: files of older builds are still kept', error);
    }
  }

  /** What every page asks for first. */
  get launchUrls(): string[] {
    return launchFiles.map((name) => this.#url(name));
  }

  /** The scope's own caches: another app of the origin may have a scope that begins alike, so a space ends it. */
  get #cachePrefix(): string {
    return `sluice:${this.#scope} `;
  }

  #url(name: string): string {
    return `${this.#scope}${runtimeFolder}${name}`;
  }

  /** What Cache Storage has of it. Never rejects: a cache that cannot be read has nothing. */
  async kept(name: string): Promise<Response | undefined> {
    const look = async () => (await this.#caches.open(this.cacheName)).match(this.#url(name));
    try {
      return await withDeadline('Cache Storage', look(), cacheDeadlineMs);
    } catch (error) {
      console.warn('sluice: Cache Storage cannot be read', error);
      return undefined;
    }
  }

  /** For later. Never rejects: what was not kept is fetched again. */
  async keep(name: string, response: Response): Promise<void> {
    const put = async () => (await this.#caches.open(this.cacheName)).put(this.#url(name), response);
    try {
      await withDeadline('Cache Storage', put(), fetchDeadlineMs);
    } catch (error) {
      console.warn(`sluice: ${name} could not be kept`, error);
    }
  }

  #fetch(name: string, cache: RequestCache): Promise<Response> {
    const signal = AbortSignal.timeout(fetchDeadlineMs);
    const options = { timeoutMs: fetchDeadlineMs, clock: systemClock, random: Math.random, signal };
    return retrying(() => this.#fetchOnce(name, cache, signal), options);
  }

  async #fetchOnce(name: string, cache: RequestCache, signal: AbortSignal): Promise<Response> {
    let fetched: Response;
    try {
      fetched = await fetch(this.#url(name), { cache, signal });
    } catch (cause) {
      if (signal.aborted)
        throw new SluiceError('read-timeout', `${runtimeFolder}${name}: no answer in time`, { cause });
      throw new SluiceError('offline', `${runtimeFolder}${name} could not be fetched`, { cause });
    }
    const { status } = fetched;
    const type = fetched.headers.get('Content-Type') ?? '';
    if (status !== 200)
      throw new OriginError(`${runtimeFolder}${name}: status ${status}`, { retryable: status >= 500 });
    // A sign-in page of the network in between is neither to be run nor to be kept.
    if (type.startsWith('text/html'))
      throw new OriginError(`${runtimeFolder}${name}: got an HTML page instead of the file`);
    const headers = new Headers({ 'Content-Type': type });
    // A worker of a page that is cross-origin isolated may only be made from a script that says so too.
    addIsolation(headers);
    return new Response(fetched.body, { headers });
  }
}
