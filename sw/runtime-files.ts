import { zstdWasmFile } from '../src/codec/zstd-wasm.ts';
import { isCode, SluiceError } from '../src/format/errors.ts';
import { fromHex } from '../src/format/sha256.ts';
import { systemClock } from '../src/protocol/clock.ts';
import { withDeadline } from '../src/protocol/deadline.ts';
import { runtimeCacheName, scopeOfRuntimeCache } from '../src/protocol/messages.ts';
import { fetchVerified } from '../src/source/fetch-verified.ts';
import { addIsolation } from './headers.ts';
import { runtimeFiles, runtimeFolder } from './route.ts';

/** The files that were built together with a service worker. */
export interface RuntimeBuild {
  /** Names the cache that has them. */
  readonly id: string;
  /** By name: SHA-256, hex. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** The script that is put into every page. */
const clientFile = 'client.js';
/** What every page of the app begins with. */
const launchFiles = [clientFile, 'loader.js'];
/** What an image may do without is brought by whoever needs it. */
const allFiles = runtimeFiles.filter((name) => name !== zstdWasmFile);
/** Cache Storage answers within milliseconds or, where it is broken, perhaps never. */
const cacheDeadlineMs = 3000;
/** For one of these small files, from the first try to its last byte. */
const fetchDeadlineMs = 60_000;

/**
 * Our own files below `__sluice/`, kept in Cache Storage by the build of this service worker, so that a launch works offline. Only those that were built
 * together with it are kept and answered: a server in the middle of a deploy, or a cache before it, has files of several builds, and a page must
 * not run a mix of them.
 */
export class RuntimeFiles {
  readonly #scope: string;
  readonly #build: RuntimeBuild;
  readonly #caches: CacheStorage;
  readonly #fetch: typeof fetch;

  constructor(scope: string, build: RuntimeBuild, caches: CacheStorage, fetchFile: typeof fetch) {
    this.#scope = scope;
    this.#build = build;
    this.#caches = caches;
    this.#fetch = fetchFile;
  }

  /** Of this worker's build. */
  get cacheName(): string {
    return runtimeCacheName(this.#scope, this.#build.id);
  }

  /** From the cache, else from the network and then, while `keepAlive` lasts, into the cache. Throws as {@link bring} does. */
  async respond(name: string, keepAlive: (work: Promise<void>) => void): Promise<Response> {
    const kept = await this.kept(name);
    if (kept) return kept;
    const response = await this.#bring(name);
    keepAlive(this.keep(name, response.clone()));
    return response;
  }

  /**
   * Brings the files that are not here: those that the next page needs at once, or all. Throws `offline`, `read-timeout` or `bad-origin` (files of another
   * build, too); what did come is kept.
   */
  async bring(which: 'launch' | 'all'): Promise<void> {
    const names = which === 'all' ? allFiles : launchFiles;
    await Promise.all(
      names.map(async (name) => {
        if (!(await this.kept(name))) await this.keep(name, await this.#bring(name));
      }),
    );
  }

  /** Gives up the files of other builds. Call when this service worker has taken over. Never rejects: the next one tries again. */
  async retireOthers(): Promise<void> {
    const others = async (): Promise<void> => {
      for (const name of await this.#caches.keys()) {
        if (scopeOfRuntimeCache(name) === this.#scope && name !== this.cacheName)
          await this.#caches.delete(name);
      }
    };
    try {
      await withDeadline('Cache Storage', others(), cacheDeadlineMs);
    } catch (error) {
      console.warn('sluice: files of older builds are still kept', error);
    }
  }

  get clientUrl(): string {
    return this.#url(clientFile);
  }

  /** For its tag: what answers for it without this worker, a static route or the network, must be the same. */
  get clientIntegrity(): string {
    return `sha256-${btoa(String.fromCharCode(...fromHex(this.#build.sha256[clientFile]!)!))}`;
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

  /** From wherever it comes, only the right one counts. */
  async #bring(name: string): Promise<Response> {
    const file = { url: this.#url(name), sha256: this.#build.sha256[name]! };
    const options = {
      fetch: this.#fetch,
      clock: systemClock,
      random: Math.random,
      timeoutMs: fetchDeadlineMs,
    };
    try {
      const headers = new Headers({ 'Content-Type': typeOf(name) });
      // A worker of a page that is cross-origin isolated may only be made from a script that says so too.
      addIsolation(headers);
      return new Response(await fetchVerified(file, options), { headers });
    } catch (error) {
      if (!isCode(error, 'integrity')) throw error;
      const words = `${runtimeFolder}${name} and sw.js are of different builds: deploy all files of a site`;
      throw new SluiceError('bad-origin', words, { cause: error });
    }
  }
}

function typeOf(name: string): string {
  if (name.endsWith('.wasm')) return 'application/wasm';
  if (name.endsWith('.html')) return 'text/html; charset=utf-8';
  return name.endsWith('.svg') ? 'image/svg+xml' : 'text/javascript; charset=utf-8';
}
