/** After so much busy time, an old measurement counts half. */
const halfLifeMs = 1000;
/** Fewer bytes than this say more about latency than about the link. */
const enoughBytes = 64 * 1024;

/**
 * The link's rate while something is being fetched. Time counts only between {@link begin} and {@link end}, so that idle
 * pauses do not look like a slow link; recent traffic counts most. Times are milliseconds of any clock.
 */
export class RateMeter {
  #active = 0;
  #since = 0;
  #busyMs = 0;
  #bytes = 0;
  #seen = 0;
  #latencyMs = 0;

  /** A request starts. */
  begin(now: number): void {
    this.#advance(now);
    this.#active += 1;
  }

  /** A request ends, in whatever way. */
  end(now: number): void {
    this.#advance(now);
    this.#active -= 1;
  }

  add(bytes: number, now: number): void {
    this.#advance(now);
    this.#bytes += bytes;
    this.#seen += bytes;
  }

  /** A request got its first bytes so long after it was sent. */
  answered(ms: number): void {
    this.#latencyMs = this.#latencyMs === 0 ? ms : this.#latencyMs + (ms - this.#latencyMs) / 4;
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
