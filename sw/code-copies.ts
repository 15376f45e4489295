import { codeCacheName, isCopyOf } from '../src/protocol/code-copies.ts';
import { withDeadline } from '../src/protocol/deadline.ts';

/** Cache Storage answers within milliseconds; where it is broken, blocks answer. */
const deadlineMs = 1000;
/** Measured, a script each: of 4 KiB 1.5 ms lost, of 16 KiB as good as none, of 64 KiB 3 ms gained, of 256 KiB 20 ms. */
const minBytes = 32 * 1024;

/**
 * Whether an answer is going to be compiled, so that a copy of it pays. Scripts that are only fetched are not; the use of wasm cannot be told from its
 * request. `only-if-cached` is the loader that makes the copy.
 */
export function isCode({ destination, cache }: Request, mime: string | undefined, size: number): boolean {
  if (size < minBytes || mime === undefined || cache === 'only-if-cached') return false;
  if (/^application\/wasm\b/i.test(mime)) return destination === '';
  return (
    /^(text|application)\/(x-)?(java|ecma)script\b/i.test(mime) && /script|worker|worklet/.test(destination)
  );
}

/** The copies that loaders make of code files (src/loader/code-copies.ts), as far as they are what the image says. */
export class CodeCopies {
  readonly #name: string;
  readonly #caches: Pick<CacheStorage, 'match'>;

  constructor(scope: string, caches: Pick<CacheStorage, 'match'>) {
    this.#name = codeCacheName(scope);
    this.#caches = caches;
  }

  /**
   * The copy for this URL if it has all of these headers, the tag of the content among them: else it is another version's. As it is kept: a
   * response made of it would have no compiled code. Undefined where there is none; never rejects.
   */
  async match(url: string, headers: Headers): Promise<Response | undefined> {
    try {
      const look = this.#caches.match(url, { cacheName: this.#name, ignoreVary: true });
      const copy = await withDeadline('Cache Storage', look, deadlineMs);
      return isCopyOf(headers, copy) ? copy : undefined;
    } catch (error) {
      console.info('sluice: copies of code cannot be read', error);
      return undefined;
    }
  }
}
