import type { InspectedFetch, InspectedRead } from '../../protocol/inspection.ts';

/**
 * What a part of a bar stands for, in the order in which they follow each other: the loader had not asked yet; it had asked and no byte had come; bytes
 * came; the digest was checked; the block was decoded and handed over. `waiting`: it is not known which of them.
 */
export type Phase = 'queued' | 'requested' | 'receiving' | 'verifying' | 'decoding' | 'waiting';

/** Half-open, in Unix ms. */
export interface Segment {
  readonly phase: Phase;
  readonly start: number;
  readonly end: number;
}

/** A row of the waterfall: one read, or one request. */
export type WaterfallRow = ReadRow | FetchRow;

interface RowTimes {
  readonly key: string;
  /** `[start, end)` in Unix ms; a read that found its block here has both equal. */
  readonly start: number;
  readonly end: number;
  /** Without gaps between them. */
  readonly segments: readonly Segment[];
}

export interface ReadRow extends RowTimes {
  readonly kind: 'read';
  readonly read: InspectedRead;
}

export interface FetchRow extends RowTimes {
  readonly kind: 'fetch';
  readonly fetch: InspectedFetch;
}

/** What a read was does not change, and there are thousands, asked for four times a second. */
const known = new WeakMap<InspectedRead, ReadRow>();

export function readRow(read: InspectedRead): ReadRow {
  const row = known.get(read) ?? newReadRow(read);
  known.set(read, row);
  return row;
}

function newReadRow(read: InspectedRead): ReadRow {
  const segments = readSegments(read);
  const end = segments.at(-1)?.end ?? read.at;
  return { kind: 'read', key: `r${read.serial}`, start: read.at, end, segments, read };
}

/** `now` ends what is under way. */
function fetchRow(fetch: InspectedFetch, now: number): FetchRow {
  const { sent } = fetch;
  const end = Math.max(sent, fetch.ended ?? now);
  const answered = Math.min(Math.max(fetch.answered ?? end, sent), end);
  const segments = joined([
    { phase: 'requested', start: sent, end: answered },
    { phase: 'receiving', start: answered, end },
  ]);
  return { kind: 'fetch', key: `f${fetch.serial}`, start: sent, end, segments, fetch };
}

/** Reads and requests in one list, by when they began; of two at once the request first, since the read follows from it. */
export function waterfallRows(
  reads: readonly InspectedRead[],
  fetches: readonly InspectedFetch[],
  now: number,
): WaterfallRow[] {
  const rows: WaterfallRow[] = fetches.map((fetch) => fetchRow(fetch, now));
  for (const read of reads) rows.push(readRow(read));
  return rows.sort((a, b) => a.start - b.start);
}

function readSegments({ at, waitedMs, steps, decodeMs = 0 }: InspectedRead): Segment[] {
  const waited = at + waitedMs;
  const segments: Segment[] = [];
  if (steps) {
    // What was done before somebody waited (a request under way that was not for this read) was no part of the wait.
    const from = (moment: number): number => Math.max(at, moment);
    const [sent, answered, arrived, verified] = [
      from(steps.sent),
      from(steps.answered),
      from(steps.arrived),
      from(steps.verified),
    ];
    segments.push(
      { phase: 'queued', start: at, end: sent },
      { phase: 'requested', start: sent, end: answered },
      { phase: 'receiving', start: answered, end: arrived },
      { phase: 'verifying', start: arrived, end: verified },
    );
  } else segments.push({ phase: 'waiting', start: at, end: waited });
  const here = segments.at(-1)!.end;
  segments.push({ phase: 'decoding', start: here, end: here + decodeMs });
  return joined(segments);
}

/** Without those that took no time. */
function joined(segments: readonly Segment[]): Segment[] {
  return segments.filter(({ start, end }) => end > start);
}
