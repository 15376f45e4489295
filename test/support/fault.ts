/**
 * One way in which a server, or what stands in front of it, answers a request wrongly. Offsets and lengths are in
 * bytes. "Body" is the body of this answer; "file" is the whole file that it is cut from.
 */
export type Fault =
  /** The right answer, `ms` late. */
  | { readonly type: 'delay'; readonly ms: number }
  /** The right answer, but not before the test says so; with `from`, only what lies behind that byte of the file waits. */
  | { readonly type: 'hold'; readonly until: Promise<unknown>; readonly from?: number }
  /** The right answer at a limited rate, as long as the test does not say that it is enough. */
  | { readonly type: 'throttle'; readonly bytesPerSecond: number; readonly until?: Promise<unknown> }
  /** The connection is closed before any header. */
  | { readonly type: 'cut-before-headers' }
  /**
   * The connection is closed after `byte` bytes of the body, and `afterMs` (browsers discard what they have not handed on when it is cut); the headers
   * promised all of it.
   */
  | { readonly type: 'cut-at'; readonly byte: number; readonly afterMs?: number }
  /** Body and Content-Length agree, and are one byte less than was asked and than Content-Range says. */
  | { readonly type: 'one-byte-short' }
  /** Content-Length is wrong by `by`, the body is right; the connection is closed after it. */
  | { readonly type: 'wrong-content-length'; readonly by: number }
  /** The request is taken and never answered. */
  | { readonly type: 'hang' }
  /** Headers and `byte` bytes of the body, then nothing more. */
  | { readonly type: 'hang-at'; readonly byte: number }
  /** A status with a short text body; `retryAfter` in seconds. */
  | { readonly type: 'status'; readonly status: number; readonly retryAfter?: number }
  /** A captive portal: status 200, some HTML, whatever was asked. */
  | { readonly type: 'html-200' }
  /** The whole file with 200, although a range was asked. */
  | { readonly type: 'ignore-range' }
  /** A well-formed 206 of the range next to the asked one (one byte further on, or back at the file's end). */
  | { readonly type: 'wrong-content-range' }
  /** The asked range of the *gzipped* file, with Content-Encoding: gzip, as some CDNs do. */
  | { readonly type: 'gzip-206' }
  /** 302 to somewhere else. */
  | { readonly type: 'redirect'; readonly location: string }
  /** What is at another path, as if it were this file: stale bytes of another release, a cache that mixes things up. */
  | { readonly type: 'instead'; readonly path: string }
  /** The lowest bit of the file's byte at `offset` is inverted wherever an answer contains that byte. */
  | { readonly type: 'flip-bit'; readonly offset: number };
