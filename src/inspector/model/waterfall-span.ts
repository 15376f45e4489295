import type { WaterfallRow } from './waterfall-rows.ts';

/** Half-open, in Unix ms. */
export interface TimeSpan {
  readonly start: number;
  readonly end: number;
}

/** A moment that is drawn through all rows. */
export interface TimeMark {
  readonly name: string;
  readonly at: number;
}

/** So long nothing begins: the launch is over, and what comes later is use. */
const quietMs = 2500;
/** Bars at the edges of a picture are seen whole. */
const margin = 0.02;

/** All that is in the rows. Undefined without rows. */
export function wholeSpan(rows: readonly WaterfallRow[]): TimeSpan | undefined {
  return spanOf(rows);
}

/**
 * From the first row until nobody reads for a while: a launch, whatever came hours later. Requests that complete the image behind it are no part of it, unless
 * nothing was read at all.
 */
export function launchSpan(rows: readonly WaterfallRow[]): TimeSpan | undefined {
  const parts = rows.filter((row) => row.kind === 'read' || row.fetch.kind !== 'background');
  if (parts.length === 0) return wholeSpan(rows);
  let end = parts[0]!.end;
  let count = 0;
  for (const row of parts) {
    if (row.start > end + quietMs) break;
    end = Math.max(end, row.end);
    count += 1;
  }
  return spanOf([rows[0]!, ...parts.slice(0, count)].filter(({ start }) => start <= end));
}

/** Moments that explain a launch, oldest first. */
export function launchMarks(rows: readonly WaterfallRow[]): TimeMark[] {
  const marks: TimeMark[] = [];
  const fetch = rows.find(({ kind }) => kind === 'fetch');
  if (fetch) marks.push({ name: 'first request', at: fetch.start });
  const read = rows.find(({ kind }) => kind === 'read');
  if (read) marks.push({ name: 'first read', at: read.start });
  const launch = launchSpan(rows);
  let last: WaterfallRow | undefined;
  for (const row of rows) {
    if (row.kind !== 'read' || row.read.waitedMs === 0 || row.start > launch!.end) continue;
    if (last === undefined || row.end > last.end) last = row;
  }
  if (last) marks.push({ name: 'last wait over', at: last.end });
  return marks.sort((a, b) => a.at - b.at);
}

/** `span` made `factor` times as long around a moment that stays where it is, and kept within `bounds`. */
export function zoomed(span: TimeSpan, factor: number, around: number, bounds: TimeSpan): TimeSpan {
  const whole = bounds.end - bounds.start;
  const length = Math.min(Math.max((span.end - span.start) * factor, 1), whole);
  const share = (around - span.start) / (span.end - span.start);
  return kept(around - share * length, length, bounds);
}

/** `span` moved by so many ms, and kept within `bounds`. */
export function moved(span: TimeSpan, ms: number, bounds: TimeSpan): TimeSpan {
  return kept(span.start + ms, Math.min(span.end - span.start, bounds.end - bounds.start), bounds);
}

/** Where to draw lines, so that about `count` are in the span: moments since `origin` that are round numbers. */
export function ticks(span: TimeSpan, origin: number, count: number): number[] {
  const raw = (span.end - span.start) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10);
  const first = Math.ceil((span.start - origin) / step);
  const last = Math.floor((span.end - origin) / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

function kept(start: number, length: number, bounds: TimeSpan): TimeSpan {
  const from = Math.min(Math.max(start, bounds.start), bounds.end - length);
  return { start: from, end: from + length };
}

function spanOf(rows: readonly WaterfallRow[]): TimeSpan | undefined {
  if (rows.length === 0) return undefined;
  const start = rows[0]!.start;
  const end = rows.reduce((latest, row) => Math.max(latest, row.end), start);
  const space = Math.max((end - start) * margin, 1);
  return { start: start - space, end: end + space };
}
