/** What a launch was like, for an app's own statistics: see `sluice.onLaunch`. Plain data, with neither URLs nor paths in it. */
export interface LaunchMetrics {
  /** SHA-256 of the image's bootstrap, hex: which version it was. */
  readonly image: string;
  /** Everything was stored when the launch began: it needed no network. */
  readonly wasComplete: boolean;
  /** From the begin of the navigation until the app was ready, in ms. All that follows is of this time. */
  readonly readyMs: number;
  /** Stored bytes that were here when the app was ready, also from visits before, and how many the whole image has. */
  readonly bytesAtReady: number;
  readonly bytesTotal: number;
  /** That came over the network, in the life of the loader that leads. */
  readonly bytesFetched: number;
  /** The same of blocks. */
  readonly blocksAtReady: number;
  readonly blocksTotal: number;
  /** Blocks that were read, each as often as it was, by all tabs. */
  readonly reads: number;
  /** Reads that took 10 ms or longer: their blocks had to come, or the disk was slow. */
  readonly waits: number;
  /** How long at least one of them waited, in ms. */
  readonly waitedMs: number;
  readonly longestWaitMs: number;
  /** Reads that ended with an error. */
  readonly failedReads: number;
}
