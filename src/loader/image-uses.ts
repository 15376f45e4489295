import { withDeadline } from '../protocol/deadline.ts';
import { loaderLockName, writerLockName } from '../protocol/messages.ts';

/** What of the Web Locks tells which loaders live. */
export type LoaderLocks = Pick<LockManager, 'request' | 'query'>;

export interface ImageUsesOptions {
  readonly locks: LoaderLocks;
  readonly scope: string;
  /** The leader's own. */
  readonly loader: string;
  /** A loader is gone that used this image. */
  readonly onEnd: (image: string) => void;
}

/** A loader that has opened an image. */
export interface ImageUse {
  readonly loader: string;
  readonly image: string;
  /** See LoaderOptions. */
  readonly isInspector: boolean;
}

const queryMs = 5000;

/**
 * Which loader, and so which tab, uses which image: each says so when it opens its image, to every new leader, and its use ends with its Web Lock.
 */
export class ImageUses {
  readonly #locks: LoaderLocks;
  readonly #scope: string;
  readonly #own: string;
  readonly #onEnd: (image: string) => void;
  /** By loader. */
  readonly #uses = new Map<string, { readonly image: string; readonly isInspector: boolean }>();
  readonly #closed = new AbortController();

  constructor({ locks, scope, loader, onEnd }: ImageUsesOptions) {
    this.#locks = locks;
    this.#scope = scope;
    this.#own = loader;
    this.#onEnd = onEnd;
  }

  begin(loader: string, image: string, isInspector = false): void {
    const isNew = !this.#uses.has(loader);
    this.#uses.set(loader, { image, isInspector });
    if (!isNew) return;
    const options = { mode: 'shared', signal: this.#closed.signal } as const;
    this.#locks
      .request(loaderLockName(loader), options, () => {
        const { image } = this.#uses.get(loader)!;
        this.#uses.delete(loader);
        this.#onEnd(image);
      })
      .catch(() => {}); // Our own close(). A platform that refuses leaves the image in use, which does no harm.
  }

  /** Which loaders use which images, as far as they have said. */
  all(): ImageUse[] {
    return Array.from(this.#uses, ([loader, use]) => ({ loader, ...use }));
  }

  has(image: string): boolean {
    return this.all().some((use) => use.image === image);
  }

  /**
   * Whether every loader of the scope that lives has said which image it uses. Whoever does not lead waits for the writer's lock, so that a new
   * leader can see whom it has not heard of yet.
   */
  async areKnown(): Promise<boolean> {
    if (!this.#uses.has(this.#own)) return false;
    const { held = [], pending = [] } = await withDeadline('Web Locks', this.#locks.query(), queryMs);
    const waiting = new Set(pending.filter(isOf(writerLockName(this.#scope))).map(clientOf));
    for (const loader of this.#uses.keys()) {
      for (const lock of held.filter(isOf(loaderLockName(loader)))) waiting.delete(clientOf(lock));
    }
    return waiting.size === 0;
  }

  close(): void {
    this.#closed.abort();
  }
}

function isOf(name: string): (lock: LockInfo) => boolean {
  return (lock) => lock.name === name;
}

function clientOf({ clientId }: LockInfo): string {
  return clientId ?? '';
}
