/** After so much busy time, an old measurement counts half. */
const halfLifeMs = 1000;
/** Fewer bytes than this say more about latency than about the link. */
const enoughBytes = 64 * 1024;

/**
 * The link's rate while something arrives. Time counts only between {@link begin} and {@link end}, so that neither idle pauses nor
 * waiting for a first byte look like a slow link: requests are sized by this rate, and small ones would make themselves smaller and
 * smaller. Recent traffic counts most. Times are milliseconds of any clock.
 */
export class RateMeter {
  #active = 0;
  #since = 0;
  #busyMs = 0;
  #bytes = 0;
  #seen = 0;
  #latencyMs = 0;

  /** A request gets its first bytes, `latencyMs` after it was sent. How long these took on the link is not known: they do not count. */
  begin(now: number, latencyMs: number): void {
    this.#advance(now);
    this.#active += 1;
    // Up slowly, down at once: most of what takes longer has waited behind our own requests, or made a connection first.
    const known = this.#latencyMs === 0 ? latencyMs : this.#latencyMs;
    this.#latencyMs = latencyMs < known ? latencyMs : known + (latencyMs - known) / 8;
  }

  /** A request that had begun ends, in whatever way. */
  end(now: number): void {
    this.#advance(now);
    this.#active -= 1;
  }

  add(bytes: number, now: number): void {
    this.#advance(now);
    this.#bytes += bytes;
    this.#seen += bytes;
  }

  /** Milliseconds from a request to its first bytes; 0 until one was answered. */
  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** Bytes per second; 0 until enough has been seen. */
  rate(): number {
    return this.#seen < enoughBytes || this.#busyMs === 0 ? 0 : (this.#bytes / this.#busyMs) * 1000;
  }

  #advance(now: number): void {
    const elapsed = now - this.#since;
    this.#since = now;
    if (this.#active === 0 || elapsed <= 0) return;
    const keep = 0.5 ** (elapsed / halfLifeMs);
    this.#busyMs = (this.#busyMs + elapsed) * keep;
    this.#bytes *= keep;
  }
}
