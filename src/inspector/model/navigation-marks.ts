import type { NavigationMark } from '../home.ts';
import type { WaterfallRow } from './waterfall-rows.ts';
import { launchMarks, type TimeMark } from './waterfall-span.ts';

/** A page whose navigation began longer before the first row is not the one that was launched. */
const nearMs = 5 * 60_000;

const shortNames: Readonly<Record<string, string>> = {
  navigationStart: 'navigation',
  responseStart: 'response',
  domInteractive: 'parsed',
  domContentLoaded: 'DOMContentLoaded',
  'first-paint': 'first paint',
  'first-contentful-paint': 'first content',
};

/** Marks for a waterfall: those of the page, where they are known and of the same launch, and those that the rows tell. Oldest first. */
export function allMarks(rows: readonly WaterfallRow[], page: readonly NavigationMark[]): TimeMark[] {
  const first = rows[0]?.start ?? 0;
  const near = page.filter(({ at }) => Math.abs(first - at) < nearMs);
  return [...near.map(({ name, at }) => ({ name: shortNames[name] ?? name, at })), ...launchMarks(rows)].sort(
    (a, b) => a.at - b.at,
  );
}

/** Where the clock of a waterfall begins: with the navigation, or with the first that is known. */
export function originOf(rows: readonly WaterfallRow[], marks: readonly TimeMark[]): number {
  return Math.min(rows[0]?.start ?? 0, marks[0]?.at ?? Number.POSITIVE_INFINITY);
}
