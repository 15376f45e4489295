import { SluiceError } from '../src/format/errors.ts';
import { addIsolation } from './headers.ts';
import { runtimeFiles, runtimeFolder } from './route.ts';

/** What every page of the app begins with. */
const launchFiles = ['client.js', 'loader.js'];

/**
 * Our own files below `__sluice/`, kept in Cache Storage by the build of this service worker, so that a launch works offline and
 * a page never mixes the files of two builds. (Cache Storage, not the image: Chromium keeps compiled code for it.)
 */
export class RuntimeFiles {
  readonly #scope: string;
  readonly #cacheName: string;
  readonly #caches: CacheStorage;

  /** `build` identifies the files that belong to this service worker. */
  constructor(scope: string, build: string, caches: CacheStorage) {
    this.#scope = scope;
    this.#cacheName = `${this.#cachePrefix}${build}`;
    this.#caches = caches;
  }

  /** From the cache, else from the network and then into the cache. */
  async respond(name: string): Promise<Response> {
    const kept = await this.#match(name);
    return kept ?? this.#fetch(name, 'default');
  }

  /**
   * Brings the files that are not here: those that the next page needs at once, or all. `fresh` goes past the HTTP cache: an update must
   * not take files of the build before it. Throws `offline` or `bad-origin`; what did come is kept.
   */
  async bring(which: 'launch' | 'all', options: { readonly fresh: boolean }): Promise<void> {
    const mode = options.fresh ? 'no-cache' : 'default';
    const names = which === 'all' ? runtimeFiles : launchFiles;
    await Promise.all(
      names.map(async (name) => {
        if (await this.#match(name)) return;
        const response = await this.#fetch(name, mode);
        if (response.status !== 200) {
          throw new SluiceError(
            'bad-origin',
            `${runtimeFolder}${name} was answered with status ${response.status}`,
          );
        }
      }),
    );
  }

  /** Gives up the files of other builds. Call when this service worker has taken over. */
  async retireOthers(): Promise<void> {
    for (const name of await this.#caches.keys()) {
      if (name.startsWith(this.#cachePrefix) && name !== this.#cacheName) await this.#caches.delete(name);
    }
  }

  /** The scope's own caches: another app of the origin may have a scope that begins alike, so a space ends it. */
  get #cachePrefix(): string {
    return `sluice:${this.#scope} `;
  }

  #url(name: string): string {
    return `${this.#scope}${runtimeFolder}${name}`;
  }

  async #match(name: string): Promise<Response | undefined> {
    try {
      return await (await this.#caches.open(this.#cacheName)).match(this.#url(name));
    } catch (error) {
      console.warn('sluice: Cache Storage cannot be read', error);
      return undefined;
    }
  }

  async #fetch(name: string, cache: RequestCache): Promise<Response> {
    let fetched: Response;
    try {
      fetched = await fetch(this.#url(name), { cache });
    } catch (cause) {
      throw new SluiceError('offline', `${runtimeFolder}${name} could not be fetched`, { cause });
    }
    const type = fetched.headers.get('Content-Type') ?? '';
    // A sign-in page of the network in between is not to be kept for good.
    if (fetched.status !== 200 || type.startsWith('text/html')) return fetched;
    const headers = new Headers({ 'Content-Type': type });
    // A worker of a page that is cross-origin isolated may only be made from a script that says so too.
    addIsolation(headers);
    const response = new Response(fetched.body, { headers });
    const copy = response.clone();
    try {
      await (await this.#caches.open(this.#cacheName)).put(this.#url(name), copy);
    } catch (error) {
      console.warn(`sluice: ${name} could not be kept`, error);
    }
    return response;
  }
}
