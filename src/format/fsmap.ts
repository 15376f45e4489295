/**
 * Which part of a physical space (the files of a local store, or of a published image) to walk: rows that begin at or after `low`, and
 * before `high`. XFS's GETFSMAP, of which this is a likeness, asks the same way.
 */
export interface FsmapQuery {
  /** Default: from the begin. The `next` of the page before, to go on. */
  readonly low?: FsmapKey;
  /** Default: to the end. */
  readonly high?: FsmapKey;
  /** Rows a page, at most. Default 1000. */
  readonly limit?: number;
}

/** A place in the space: files in the order of their names, bytes within. */
export interface FsmapKey {
  readonly file: string;
  readonly offset: number;
}

/** `shared`: more than one owner. `metadata`: a block table or a bootstrap. `partial`: not all of its blob is present. `free`: nothing is stored there yet. */
export type FsmapFlag = 'shared' | 'metadata' | 'journal' | 'partial' | 'free' | 'sealed' | 'pinned';

export interface FsmapRow {
  /** In the store's folder: `blobs/<sha256>.bin`, `images/…`, `journal-a`; in the site's: `<sha256>.bin`. */
  readonly file: string;
  /** Half-open, in bytes of that file. */
  readonly start: number;
  readonly end: number;
  readonly flags: readonly FsmapFlag[];
  /** Index of the block, where it is one. */
  readonly block: number | undefined;
  /** Whose bytes it holds: ranges of files, which overlap those of other rows where blocks are shared. */
  readonly owners: readonly FsmapOwner[];
}

export interface FsmapOwner {
  readonly image: string;
  readonly path: string;
  /** Half-open, in bytes of the file. */
  readonly start: number;
  readonly end: number;
}

export interface FsmapPage {
  readonly rows: readonly FsmapRow[];
  /** Where to go on; undefined at the end. */
  readonly next: FsmapKey | undefined;
}
