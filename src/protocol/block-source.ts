/** A published file: its name is its digest, its length is known from metadata that was verified before. */
export interface PublishedFile {
  readonly sha256: string;
  readonly length: number;
}

/** One request for a range of a published file. */
export interface RangeRequest {
  readonly file: PublishedFile;
  /** Half-open, in stored bytes; `0 <= start < end <= file.length`. */
  readonly start: number;
  readonly end: number;
  readonly priority: 'high' | 'low';
  /** An answer that the platform has kept will do, if it has one. Only for whole files, and for callers that verify what they get. */
  readonly cached?: boolean;
  readonly signal: AbortSignal;
}

/** A run of bytes of the file as it arrived: not verified yet. */
export interface Chunk {
  /** Where in the file the bytes belong. */
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Where stored bytes come from: HTTP ranges, whole files from a host without ranges, a peer, an archive, a test.
 *
 * `fetch` yields the bytes of `[start, end)` in order and without gaps. A source that cannot answer ranges may begin
 * before `start` and go on past `end`: the consumer keeps what it can use and stops when it likes.
 *
 * Duty: never yields bytes of another place, never ends early without an error. Throws {@link SluiceError}:
 * `offline` (nothing reachable), `bad-origin` (an answer that cannot be right), `read-timeout` (no progress within the
 * source's own stall deadline), or the signal's reason when aborted.
 */
export interface BlockSource {
  /**
   * True as soon as the source is known to give whole files only. A request costs the whole file then: ask for
   * `[0, file.length)`, once, and use all of it.
   */
  readonly wholeFiles: boolean;
  readonly fetch: (request: RangeRequest) => AsyncIterable<Chunk>;
}
