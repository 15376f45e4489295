import type { AppName } from './apps.ts';
import type { LinkName } from './options.ts';
import type { Combination } from './results.ts';
import type { SideName } from './side.ts';
import { summarize } from './statistics.ts';
import type { VisitKind } from './visit.ts';

/** One number that says how an app's launch compares. Less is better. */
export interface Figure {
  readonly figure: string;
  readonly app: AppName;
  readonly link: LinkName;
  readonly value: number;
  /** The most that it should be; undefined where nothing is aimed at. */
  readonly target?: number;
}

/** The launches of one app on one link. */
type Find = (side: SideName, visit: VisitKind) => Combination | undefined;

interface Kind {
  readonly figure: string;
  readonly value: (find: Find) => number | undefined;
  readonly target?: (link: LinkName, find: Find) => number | undefined;
}

/** Where a launch needs less of the app than this, nobody should have to wait for all of it. */
const smallLaunch = 0.2;

const kinds: readonly Kind[] = [
  {
    figure: 'cold, with trace ÷ plain server with gzip',
    value: (find) => timeRatio(find, 'cold', 'sluice+trace', 'gzip'),
    target: (link) => (link === 'fast' ? 1 : 0.8),
  },
  {
    figure: 'cold, with trace ÷ the same with brotli-11 made in advance',
    value: (find) => timeRatio(find, 'cold', 'sluice+trace', 'brotli'),
    target: () => 1,
  },
  {
    figure: 'cold, without trace ÷ plain server with gzip',
    value: (find) => timeRatio(find, 'cold', 'sluice', 'gzip'),
    target: () => 1,
  },
  {
    figure: 'cold, with trace ÷ Workbox precache, then launch',
    value: (find) => timeRatio(find, 'cold', 'sluice+trace', 'workbox'),
    target: (_, find) => ((share(find) ?? 1) < smallLaunch ? 0.3 : undefined),
  },
  {
    figure: 'bytes until ready ÷ stored bytes of the blocks that the launch read',
    value: (find) => perLaunch(find, ({ wireBytes, launch }) => launch && wireBytes / launch.blockBytes),
    target: () => 1.1,
  },
  {
    figure: 'warm, with trace ÷ Workbox precached',
    value: (find) => timeRatio(find, 'warm', 'sluice+trace', 'workbox'),
    target: () => 1,
  },
  {
    figure: 'offline, with trace ÷ Workbox precached',
    value: (find) => timeRatio(find, 'offline', 'sluice+trace', 'workbox'),
  },
  { figure: 'share of the stored image that the launch read', value: share },
];

export const figureNames: readonly string[] = kinds.map(({ figure }) => figure);

/** All that can be told of what was measured. Ratios are of medians. */
export function figures(combinations: readonly Combination[]): Figure[] {
  const pairs = new Map(combinations.map(({ app, link }) => [`${app} ${link}`, { app, link }]));
  return [...pairs.values()].flatMap(({ app, link }) => {
    const find: Find = (side, visit) =>
      combinations.find((c) => c.app === app && c.link === link && c.side === side && c.visit === visit);
    return kinds.flatMap((kind) => {
      const { figure } = kind;
      const value = kind.value(find);
      if (value === undefined) return [];
      const target = kind.target?.(link, find);
      return [{ figure, app, link, value, ...(target === undefined ? {} : { target }) }];
    });
  });
}

function timeRatio(find: Find, visit: VisitKind, side: SideName, other: SideName): number | undefined {
  const [ours, theirs] = [find(side, visit), find(other, visit)].map((combination) =>
    combination === undefined
      ? undefined
      : summarize(combination.launches.map(({ readyMs }) => readyMs)).median,
  );
  return ours === undefined || theirs === undefined ? undefined : ours / theirs;
}

function share(find: Find): number | undefined {
  return perLaunch(find, ({ launch }) => launch && launch.blockBytes / launch.imageBytes);
}

/** The median over the cold launches with a trace. */
function perLaunch(
  find: Find,
  of: (launch: Combination['launches'][number]) => number | undefined,
): number | undefined {
  const values = find('sluice+trace', 'cold')?.launches.flatMap((launch) => of(launch) ?? []) ?? [];
  return values.length === 0 ? undefined : summarize(values).median;
}
