const KiB = 1024;
const MiB = 1024 * KiB;

/** The numbers of the scheduler; ARCHITECTURE.md says where they come from. */
export const planLimits = {
  /** Readers' requests at once: so many always may be, and never more. */
  demandFlights: { least: 2, most: 6, unmeasured: 4 },
  /** Of others. */
  otherFlights: 3,
  /** A browser has six connections to a host that speaks HTTP/1.1. */
  connections: 6,
  /** Requests that have come and are being verified and written: with more than that in memory, only readers' start. */
  landing: 6,
  /** Demand requests end with the block that passes this; so they are at most one block longer. */
  demandBytes: 2 * MiB,
  /** Missing bytes between two wanted blocks that are rather fetched along than left to a second request. */
  gapBytes: 32 * KiB,
  /**
   * A run of blocks up to this is fetched together with an unknown table, although only some of it is wanted; a longer one (unless
   * most of it is wanted) waits for the table. About what a 20 Mbit/s link brings in the round trip that this saves.
   */
  blindBytes: 128 * KiB,
  /**
   * A blob up to this length is brought whole where nothing of it is known: a site's first blob is that short, holds what a launch reads
   * first, and is asked for as a whole by the boot page's markup, so that most of it may be here already.
   */
  wholeBytes: MiB,
  /** How long a request that nobody waits for should last, so that a reader never waits behind more. */
  requestMs: { launch: 250, background: 120 },
  requestMinBytes: 64 * KiB,
  /** As long as the link was not measured. */
  requestFirstBytes: 256 * KiB,
  requestMaxBytes: 4 * MiB,
  /** What is read ahead for one who reads in order: what the link brings in so long, within bounds. */
  aheadMs: 1000,
  aheadLeastBytes: 256 * KiB,
  aheadMostBytes: 2 * MiB,
  /** What is taken to fit a link that was not measured yet. */
  unmeasuredRoom: 128 * KiB,
} as const;
