/** What the guard needs of `sessionStorage`: it outlives a reload and ends with the tab. */
export type TabStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** Reloads that came to nothing are given up after this many within {@link windowMs}. */
const tries = 2;
const windowMs = 60_000;

/**
 * Keeps the boot page from reloading for ever when a reload does not bring the app: it allows two tries a minute. The
 * app's page calls `reset`.
 */
export class ReloadGuard {
  readonly #storage: TabStorage;
  readonly #key: string;

  constructor(storage: TabStorage, scope: string) {
    this.#storage = storage;
    this.#key = `sluice:reloads:${scope}`;
  }

  /** Counts one reload at `now` (ms); false when the tries are used up. */
  allow(now: number): boolean {
    const recent = this.#reloads().filter((at) => at <= now && now - at < windowMs);
    if (recent.length >= tries) return false;
    this.#storage.setItem(this.#key, [...recent, now].join(' '));
    return true;
  }

  reset(): void {
    this.#storage.removeItem(this.#key);
  }

  #reloads(): number[] {
    const text = this.#storage.getItem(this.#key) ?? '';
    return text.split(' ').filter(Boolean).map(Number);
  }
}
