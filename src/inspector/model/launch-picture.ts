import type { NavigationMark } from '../home.ts';
import { allMarks, originOf } from './navigation-marks.ts';
import type { WaterfallRow } from './waterfall-rows.ts';
import { launchSpan, type TimeMark, type TimeSpan, wholeSpan } from './waterfall-span.ts';

/** What of the launch is to be seen. */
export interface LaunchFilter {
  readonly shown: 'all' | WaterfallRow['kind'];
  /** Requests are left out then. */
  readonly waitedOnly: boolean;
  /** A part of a path, in any case; requests are left out where there is one. */
  readonly text: string;
  readonly byDuration: boolean;
}

/** What is drawn of it. */
export interface LaunchPicture {
  /** That the filter lets through. */
  readonly rows: readonly WaterfallRow[];
  readonly marks: readonly TimeMark[];
  /** Where the clock begins, in Unix ms. */
  readonly origin: number;
  /** Of all rows and marks. */
  readonly bounds: TimeSpan;
  /** Of the launch alone. */
  readonly launch: TimeSpan;
}

/** Undefined: there is nothing to draw. `rows` are by when they began. */
export function launchPicture(
  rows: readonly WaterfallRow[],
  pageMarks: readonly NavigationMark[],
  filter: LaunchFilter,
): LaunchPicture | undefined {
  const whole = wholeSpan(rows);
  if (!whole) return undefined;
  const marks = allMarks(rows, pageMarks);
  const origin = originOf(rows, marks);
  const withOrigin = ({ start, end }: TimeSpan): TimeSpan => ({ start: Math.min(start, origin), end });
  const [bounds, launch] = [withOrigin(whole), withOrigin(launchSpan(rows)!)];
  return { rows: filtered(rows, filter), marks, origin, bounds, launch };
}

function filtered(
  rows: readonly WaterfallRow[],
  { shown, waitedOnly, text, byDuration }: LaunchFilter,
): readonly WaterfallRow[] {
  const part = text.trim().toLowerCase();
  const kept = rows.filter((row) => {
    if (shown !== 'all' && row.kind !== shown) return false;
    if (row.kind === 'fetch') return !waitedOnly && part === '';
    if (waitedOnly && row.read.waitedMs === 0) return false;
    return part === '' || row.read.path.toLowerCase().includes(part);
  });
  return byDuration ? kept.sort((a, b) => b.end - b.start - (a.end - a.start)) : kept;
}
