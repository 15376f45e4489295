import type { BlockSource } from '../protocol/block-source.ts';
import type { ReleaseRecord } from '../protocol/messages.ts';

export interface MountOptions {
  /** How long a read may wait for a missing block, in ms; 0 = not at all. Default 30,000. */
  readonly readTimeoutMs?: number;
  /** false: fetch only what is read or prefetched, do not complete the image in the background. Default true. */
  readonly background?: boolean;
  /** Which image, by the SHA-256 and length of its bootstrap, instead of the one that the site's `sluice.json` names. */
  readonly release?: ReleaseRecord;
  /**
   * Where blocks come from instead of HTTP, for as long as this page's loader is the one that leads: a peer, an archive, a test. What it gives is
   * verified as what a server gives. With `release` nothing of the image is asked of the server.
   */
  readonly source?: BlockSource;
  /** How many reads the read log remembers; 0 = none. */
  readonly readLog?: number;
}
