import { tracePaths } from './trace-paths.ts';
import type { TreeFile } from './tree.ts';

/** A read log of a real launch, as `window.sluice.readLog()` gives it; what else it says is not used. */
export interface LaunchTrace {
  readonly reads: readonly TraceRead[];
}

export interface TraceRead {
  readonly path: string;
  /** -1 is a read of a blob's table, which says nothing of the file. */
  readonly block?: number;
  /** Bytes `[start, end)` of the file; a trace that tells none of a file means all of it. */
  readonly start?: number;
  readonly end?: number;
  /** Bytes that the whole file had then. */
  readonly size?: number;
}

/** Bytes `[start, end)` of a file, not empty. */
export interface FileRange {
  readonly file: TreeFile;
  readonly start: number;
  readonly end: number;
}

export interface LaunchReads {
  /** Of each trace its reads in their order; of files read whole one, at the first read. */
  readonly orders: readonly (readonly FileRange[])[];
  /** The files that launches read, and whether (nearly) wholly, all traces taken together. */
  readonly whole: ReadonlyMap<TreeFile, boolean>;
}

/** A file of which launches read this share is stored as one that they read whole: the rest costs less than cutting it does. */
const nearlyWhole = 0.9;

/**
 * What recorded launches read of these files: by ranges, so that of a large file only what was read counts. A trace that is stale or of another
 * app helps as far as it fits: paths are looked up by {@link tracePaths}, ranges end where the file does, and "whole" is told by
 * the size that the file had when it was read.
 */
export function launchReads(files: readonly TreeFile[], traces: readonly LaunchTrace[]): LaunchReads {
  const all = traces.map(({ reads }) => reads.filter(({ block }) => block !== -1));
  const fileAt = tracePaths(
    files,
    all.flatMap((reads) => reads.map(({ path }) => path)),
  );
  const seen = new Map<TreeFile, Seen>();
  const orders = all.map((reads) =>
    reads.flatMap((read) => {
      const file = fileAt.get(read.path);
      if (file === undefined) return [];
      const range = rangeOf(read);
      const known = seen.get(file) ?? { size: read.size ?? file.size, ranges: [] };
      seen.set(file, known);
      if (range !== undefined) known.ranges.push(range);
      return [{ file, range }];
    }),
  );
  const whole = new Map(Array.from(seen, ([file, known]) => [file, isWhole(known)]));
  return {
    whole,
    orders: orders.map((reads) =>
      reads.flatMap(({ file, range }) => {
        if (whole.get(file)) return [{ file, start: 0, end: file.size }];
        if (range === undefined) return [];
        const end = Math.min(range.end, file.size);
        return range.start < end ? [{ file, start: range.start, end }] : [];
      }),
    ),
  };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Seen {
  readonly size: number;
  readonly ranges: Range[];
}

function rangeOf({ start, end }: TraceRead): Range | undefined {
  if (start === undefined || end === undefined) return undefined;
  const isRange = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end;
  return isRange ? { start, end } : undefined;
}

function isWhole({ size, ranges }: Seen): boolean {
  if (ranges.length === 0) return true;
  let covered = 0;
  let at = 0;
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    covered += Math.max(0, end - Math.max(at, start));
    at = Math.max(at, end);
  }
  return covered >= size * nearlyWhole;
}
