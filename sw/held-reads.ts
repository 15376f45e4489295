/** One read under way. */
export interface HeldRead {
  /** Fires when its client is gone. */
  readonly signal: AbortSignal;
  /** It is over. */
  end(): void;
}

/**
 * The reads under way, by client, so that those of pages that are gone can be given up. Nobody tells: Chromium (156) never fires the
 * signal of a fetch event's request, and a page that navigates away would leave its reads to be served before those of the next one.
 */
export class HeldReads {
  readonly #clientExists: (id: string) => Promise<boolean>;
  readonly #reads = new Map<AbortController, string>();

  constructor(clientExists: (id: string) => Promise<boolean>) {
    this.#clientExists = clientExists;
  }

  /** `clientId` '' (a page that is only coming, or not known): never given up. */
  begin(clientId: string): HeldRead {
    const abort = new AbortController();
    if (clientId !== '') this.#reads.set(abort, clientId);
    return { signal: abort.signal, end: () => this.#reads.delete(abort) };
  }

  /** Gives up the reads of clients that do not exist any more. */
  async sweep(): Promise<void> {
    for (const id of new Set(this.#reads.values())) {
      if (await this.#clientExists(id)) continue;
      for (const [abort, reader] of this.#reads) {
        if (reader !== id) continue;
        this.#reads.delete(abort);
        abort.abort();
      }
    }
  }
}
