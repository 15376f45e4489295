import { columns } from './columns.ts';
import { type Comparison, visitKinds } from './compare.ts';
import { type Summary, summarize } from './statistics.ts';
import type { Visit } from './visit.ts';

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

/** Median and (least to most) of each quantity until the app was ready, and of the ratios of the runs, each pair on its own. */
export function formatTable(comparison: Comparison): string {
  const rows = [['', '', 'plain', 'sluice', 'sluice ÷ plain']];
  for (const kind of visitKinds) {
    const { plain, sluice } = comparison[kind];
    for (const { label, of, show } of quantities) {
      const [a, b] = [plain, sluice].map((visits) => visits.flatMap((visit) => of(visit) ?? []));
      if (!a?.length || !b?.length) continue;
      const ratios = b.map((value, run) => value / a[run]!);
      rows.push([
        kind,
        label,
        withRange(a, show),
        withRange(b, show),
        withRange(ratios, (r) => r.toFixed(2)),
      ]);
    }
  }
  return columns(rows, 2);
}

/** `median (least–most)`. */
export function withRange(values: readonly number[], show: (value: number) => string): string {
  const { median, min, max }: Summary = summarize(values);
  return `${show(median)} (${show(min)}–${show(max)})`;
}
