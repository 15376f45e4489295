import { appNames } from './apps.ts';
import { columns } from './columns.ts';
import { type Figure, figureNames, figures } from './figures.ts';
import type { LaunchBlocks } from './launch-blocks.ts';
import { LINKS } from './link.ts';
import type { Machine } from './machine.ts';
import { linkNames } from './options.ts';
import type { Combination } from './results.ts';
import { sideNames } from './side.ts';
import { type Summary, summarize } from './statistics.ts';
import { visitKinds } from './visit.ts';

export const method =
  'Time from the first navigation to the app’s own sign that it is ready. Sides interleaved, the one that begins rotates; medians. Every visit is a new browser process; cold: a fresh profile; warm and offline: after everything was there. One TCP link of the given rate and round trip in front of each server, HTTP/1.1, a connection costs a round trip. Bytes and requests are those that crossed the link until then, headers included.';

/** One side of one app on one link, in numbers. */
export interface Measurement extends Omit<Combination, 'launches'> {
  readonly runs: number;
  readonly readyMs: Summary;
  readonly wireBytes: Summary;
  readonly requests: Summary;
  readonly cpuMs?: Summary;
  /** Of the launch whose share is the middle one. */
  readonly launch?: LaunchBlocks;
}

/** What is published of the launches that were measured. */
export interface Publication {
  /** ISO, of the newest. */
  readonly date: string;
  readonly machine: Machine;
  readonly method: string;
  readonly links: typeof LINKS;
  readonly measurements: readonly Measurement[];
  readonly figures: readonly Figure[];
}

/** Of at least one combination. */
export function publication(combinations: readonly Combination[], machine: Machine): Publication {
  const place = (m: Combination): readonly number[] => [
    appNames.indexOf(m.app),
    linkNames.indexOf(m.link),
    visitKinds.indexOf(m.visit),
    sideNames.indexOf(m.side),
  ];
  const sorted = combinations.toSorted((a, b) => compareLists(place(a), place(b)));
  return {
    date: combinations
      .map(({ date }) => date)
      .sort()
      .at(-1)!,
    machine,
    method,
    links: LINKS,
    measurements: sorted.map(measurement),
    figures: figures(sorted),
  };
}

function measurement({ launches, ...combination }: Combination): Measurement {
  const cpu = launches.flatMap(({ cpuMs }) => cpuMs ?? []);
  const needed = launches.flatMap(({ launch }) => launch ?? []).sort((a, b) => a.blockBytes - b.blockBytes);
  const middle = needed[Math.floor(needed.length / 2)];
  return {
    ...combination,
    runs: launches.length,
    readyMs: summarize(launches.map(({ readyMs }) => Math.round(readyMs))),
    wireBytes: summarize(launches.map(({ wireBytes }) => wireBytes)),
    requests: summarize(launches.map(({ requests }) => requests)),
    ...(cpu.length === 0 ? {} : { cpuMs: summarize(cpu) }),
    ...(middle === undefined ? {} : { launch: middle }),
  };
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

/** A table for each link: a row for each figure, a column for each app. What misses its target is marked. */
export function formatFigures({ figures: all }: Publication): string {
  const tables = linkNames.flatMap((link) => {
    const ofLink = all.filter((figure) => figure.link === link);
    if (ofLink.length === 0) return [];
    const apps = appNames.filter((name) => ofLink.some(({ app }) => app === name));
    const rows = figureNames.flatMap((name) => {
      const ofFigure = ofLink.filter(({ figure }) => figure === name);
      if (ofFigure.length === 0) return [];
      const target = ofFigure.find((figure) => figure.target !== undefined)?.target;
      const cells = apps.map((app) =>
        cell(
          ofFigure.find((figure) => figure.app === app),
          target,
        ),
      );
      return [[name, target === undefined ? '' : `≤ ${target}`, ...cells]];
    });
    const { mbitPerSecond, rttMs } = LINKS[link];
    return `${link}: ${mbitPerSecond} Mbit/s, ${rttMs} ms\n${columns([['', 'target', ...apps], ...rows], 2)}`;
  });
  return `${tables.join('\n\n')}\n\n✗: the target is missed. (…): the target is not for this app.`;
}

function cell(figure: Figure | undefined, targetOfOthers: number | undefined): string {
  if (figure === undefined) return '–';
  const value = figure.value.toFixed(2);
  if (figure.target === undefined) return targetOfOthers === undefined ? `${value}  ` : `(${value}) `;
  return figure.value > figure.target ? `${value} ✗` : `${value}  `;
}
