import { columns } from './columns.ts';
import type { Comparison, Launch } from './compare.ts';
import { type SideName, sideNames } from './side.ts';
import { type Summary, summarize } from './statistics.ts';
import { type Visit, visitKinds } from './visit.ts';

interface Quantity {
  readonly label: string;
  readonly of: (visit: Visit) => number | undefined;
  readonly show: (value: number) => string;
}

const quantities: readonly Quantity[] = [
  { label: 'ready after, s', of: ({ readyMs }) => readyMs / 1000, show: (value) => value.toFixed(2) },
  { label: 'on the wire, MB', of: ({ wireBytes }) => wireBytes / 1e6, show: (value) => value.toFixed(2) },
  { label: 'requests', of: ({ requests }) => requests, show: (value) => value.toFixed(0) },
  { label: 'processor, s', of: ({ cpuMs }) => cpuMs && cpuMs / 1000, show: (value) => value.toFixed(2) },
];

/** Median and (least to most) of each quantity until the app was ready; and of the time's ratio to the first side's, run by run. */
export function formatTable({ launches }: Comparison): string {
  const sides = sideNames.filter((name) => launches.some(({ side }) => side === name));
  const rows = [['', '', ...sides]];
  for (const kind of visitKinds) {
    const ofKind = launches.filter(({ visit }) => visit === kind);
    const base = sides.find((name) => ofKind.some(({ side }) => side === name));
    if (base === undefined) continue;
    for (const { label, of, show } of quantities) {
      rows.push([
        kind,
        label,
        ...sides.map((name) =>
          cell(
            ofSide(ofKind, name).flatMap((l) => of(l) ?? []),
            show,
          ),
        ),
      ]);
    }
    const ratios = sides.map((name) => cell(timeRatios(ofKind, name, base), (ratio) => ratio.toFixed(2)));
    rows.push([kind, `ready ÷ ${base}`, ...ratios]);
  }
  return columns(rows, 2);
}

function ofSide(launches: readonly Launch[], name: SideName): Launch[] {
  return launches.filter(({ side }) => side === name);
}

/** Each pair of launches of one run on its own: a machine that was busy for a while was so for both. */
function timeRatios(launches: readonly Launch[], name: SideName, base: SideName): number[] {
  return ofSide(launches, name).flatMap(({ run, readyMs }) => {
    const other = ofSide(launches, base).find((launch) => launch.run === run);
    return other === undefined ? [] : readyMs / other.readyMs;
  });
}

function cell(values: readonly number[], show: (value: number) => string): string {
  return values.length === 0 ? '–' : withRange(values, show);
}

/** `median (least–most)`. */
export function withRange(values: readonly number[], show: (value: number) => string): string {
  const { median, min, max }: Summary = summarize(values);
  return `${show(median)} (${show(min)}–${show(max)})`;
}
